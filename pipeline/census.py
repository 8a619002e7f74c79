"""Frames → every cell once, in one pass and bounded memory.

A first stretch of frames is held back to learn the background, how cells look and how the liquid
flows. From then on each frame is segmented, linked and forgotten; of a cell only the best few
pictures stay until its track ends and they are drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from multiprocessing import parent_process
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from cellcensus.errors import RecordingError
from cellcensus.progress import Progress, Silent
from cellcensus.settings import IngestSettings
from cellcensus.study import Acquisition, CellHints, Mode
from pipeline.ahead import ahead
from pipeline.figures import Figures
from pipeline.grounds import Ground, learn_ground
from pipeline.optics import diameter_range_px
from pipeline.rows import Rows
from pipeline.sightings import Sightings
from pipeline.tracing import Desk, EachFrame, OverFrames, Tracing
from pipeline.views import ViewFinder

#: Frames held back to learn from, at most.
_HELD_BACK = 200
#: Room for frames that are decoded ahead, pixels.
_AHEAD_BYTES = 16e6


class FrameLike(Protocol):
    """One frame of a recording."""

    index: int
    pixels: NDArray[Any]
    time_s: float | None


class RecordingLike(Protocol):
    """What is needed of a recording."""

    height: int
    width: int
    n_frames_stated: int | None

    def frames(self) -> Iterator[Any]:
        """The frames in order."""


@dataclass
class Census:
    """Every cell of a recording.

    Parameters
    ----------
    table
        Columns of equal length, one row a unique cell; names and units in ``docs/design.md``.
    crops
        (N, V, S, S) uint8.
    figures
        Figures of the recording; NaN where nothing can be said.
    preview
        (frame index, (H, W) uint8, outlines in pixels, track lines in pixels).
    """

    table: dict[str, NDArray[Any]]
    crops: NDArray[np.uint8]
    figures: dict[str, float]
    preview: list[tuple[int, NDArray[np.uint8], list[NDArray[np.int32]], list[NDArray[np.int32]]]]
    notes: dict[str, str] = field(default_factory=dict)


def window_um(hints: CellHints, settings: IngestSettings) -> float:
    """Side of a stored picture, µm: of the settings, the study's largest cell, or 20 µm.

    It never depends on one recording: size tells classes apart, so a study has one window.
    """
    if settings.window_um is not None:
        return settings.window_um
    return float(hints.diameter_um[1]) if hints.diameter_um else 20.0


def take_census(
    recording: RecordingLike,
    *,
    acquisition: Acquisition,
    hints: CellHints,
    settings: IngestSettings,
    progress: Progress | None = None,
    sightings: Sightings | None = None,
) -> Census:
    """Find every cell of a recording once.

    Parameters
    ----------
    recording
        Open; its frames are read once, in order.
    acquisition
        Mode, pixel size and frame rate.
    hints
        What the study says of its cells.
    settings
        Of the stage.
    progress
        Told of every frame.
    sightings
        Told of everything that was seen.

    Returns
    -------
    Census

    Raises
    ------
    RecordingError
        The recording has no frame.
    """
    progress = progress or Silent()
    progress.start("frames", float(recording.n_frames_stated or 0))
    stream = ahead(recording.frames(), _frames_ahead(recording))
    with _one_thread(), closing(stream):
        tracing = _trace(stream, acquisition, hints, settings, progress, sightings=sightings)
        rows = tracing.finish()
    progress.finish(f"{len(rows)} cells")
    return _census(rows, tracing, window_um(hints, settings), settings)


def _frames_ahead(recording: RecordingLike) -> int:
    """Frames to decode ahead; none in a worker process, whose neighbours use the other cores."""
    if parent_process() is not None:
        return 0
    return int(np.clip(_AHEAD_BYTES / (recording.width * recording.height), 2, 16))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let OpenCV work in this thread: the operations are too small to be worth dividing."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _trace(
    stream: Iterator[Any],
    acquisition: Acquisition,
    hints: CellHints,
    settings: IngestSettings,
    progress: Progress,
    *,
    sightings: Sightings | None,
) -> Tracing:
    held = _hold_back(stream, settings)
    if not held:
        raise RecordingError("The recording holds no frame", code="no_frames")
    ground = learn_ground(
        held, acquisition.mode, hints, settings, diameter_range_px(acquisition, hints, settings)
    )
    tracing = _tracing(
        ground, acquisition, hints, settings, held[0].pixels.shape, sightings=sightings
    )
    for frame in _chain(held, stream):
        tracing.take(frame)
        progress.advance()
    return tracing


def _hold_back(stream: Iterator[Any], settings: IngestSettings) -> list[Any]:
    held: list[Any] = []
    room = settings.buffer_megabytes * 1e6
    for frame in stream:
        held.append(frame)
        room -= frame.pixels.nbytes
        if len(held) >= _HELD_BACK or room < frame.pixels.nbytes:
            break
    return held


def _chain(held: list[Any], stream: Iterable[Any]) -> Iterator[Any]:
    """The frames held back, each let go as it is given out, then the others."""
    held.reverse()
    while held:
        yield held.pop()
    yield from stream


def _tracing(
    ground: Ground,
    acquisition: Acquisition,
    hints: CellHints,
    settings: IngestSettings,
    shape: tuple[int, int],
    *,
    sightings: Sightings | None,
) -> Tracing:
    window_px = window_um(hints, settings) / acquisition.pixel_size_um
    desk = Desk(
        ground=ground,
        finder=ViewFinder(ground.optics, shape),
        rows=Rows(acquisition, settings, ground.optics, window_px),
        figures=Figures(ground, acquisition, shape),
        settings=settings,
        shape=shape,
        sightings=sightings,
    )
    return OverFrames(desk) if acquisition.mode is Mode.FLOW else EachFrame(desk)


def _census(rows: Rows, tracing: Tracing, window: float, settings: IngestSettings) -> Census:
    table, crops = rows.table()
    values = tracing.figures.summary(table)
    values["window_um"] = window
    values["full_scale"] = settings.full_scale
    if np.isfinite(values["diameter_um_95"]):
        values["window_share"] = values["diameter_um_95"] / window
    return Census(table, crops, values, tracing.preview.pictures())
