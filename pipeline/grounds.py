"""What is learned of a recording before its first frame is taken: background and optics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellcensus.settings import IngestSettings
from cellcensus.study import CellHints, Mode, Polarity
from pipeline.background import (
    Background,
    event_background,
    is_lit,
    spatial_background,
    temporal_background,
)
from pipeline.optics import Optics, estimate_optics
from pipeline.segment import Detections, Segmenter

#: Fewer frames than this show no background by their median.
_FEWEST = 8
#: Frames from which optics are estimated.
_SAMPLE = 12


@dataclass
class Ground:
    """Background and optics, and how they go on.

    Parameters
    ----------
    mode
        Of the study.
    optics
        Of the recording.
    background
        Common to all frames, or ``None`` where each frame has its own.
    segmenter
        Set up for the recording.
    """

    mode: Mode
    optics: Optics
    background: Background | None
    segmenter: Segmenter

    def prepare(self, frame: Any) -> Background:
        """Background of a frame; the segmenter uses it from here on."""
        if self.background is not None:
            return self.background
        own = _own_background(frame, self.mode, self.optics.diameter_px[1], self.optics.polarity)
        self.segmenter.use(own)
        return own

    def follow(self, pixels: NDArray[Any], found: Detections, rate: float) -> None:
        """Let the common background drift with the recording, where a frame shows it."""
        if self.background is not None and is_lit(found.gain):
            self.background = self.background.follow(pixels, found.gain, found.box, rate)
            self.segmenter.use(self.background)


def learn_ground(
    held: Sequence[Any],
    mode: Mode,
    hints: CellHints,
    settings: IngestSettings,
    diameter_px: tuple[float, float],
) -> Ground:
    """Learn background and optics from the first frames.

    Parameters
    ----------
    held
        At least one frame.
    mode
        Of the study.
    hints, settings
        Of the study and the stage.
    diameter_px
        Smallest and largest cell expected.
    """
    sample = _evenly(held, settings.background_frames)
    background = None
    if mode is Mode.EVENTS:
        background = event_background([frame.pixels for frame in sample])
    elif len(sample) >= _FEWEST:
        background = temporal_background([frame.pixels for frame in sample])
    few = _evenly(held, _SAMPLE)
    polarity = hints.polarity or Polarity.DARK
    grounds = [
        background or _own_background(frame, mode, diameter_px[1], polarity) for frame in few
    ]
    optics = estimate_optics(
        [frame.pixels for frame in few],
        grounds,
        diameter_px=diameter_px,
        polarity=hints.polarity,
        noise_factor=settings.noise_factor,
    )
    segmenter = Segmenter(background or grounds[0], optics, held[0].pixels.dtype)
    if background is not None:
        segmenter.learn_sizes(frame.pixels for frame in few)
    return Ground(mode, optics, background, segmenter)


def _own_background(frame: Any, mode: Mode, widest: float, polarity: Polarity) -> Background:
    if mode is Mode.EVENTS:
        return event_background([frame.pixels])
    return spatial_background(frame.pixels, widest, polarity is not Polarity.BRIGHT)


def _evenly(held: Sequence[Any], number: int) -> list[Any]:
    if len(held) <= number:
        return list(held)
    return [held[int(index)] for index in np.linspace(0, len(held) - 1, number)]
