"""The pictures that stand for a cell: which are kept, and where they are cut out.

A view is judged by completeness (not cut by the border), distance from neighbours and focus
(`pipeline.kernels.score`). While its track is open only its place among the best is kept; the few
pictures that win are drawn when it is over (`pipeline.kernels.portrait`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.background import Background
from pipeline.kernels.portrait import RIM, Sitting
from pipeline.kernels.score import score_views
from pipeline.optics import Optics
from pipeline.segment import Detections


@dataclass(slots=True)
class View:
    """One cell in one frame, not yet drawn.

    Parameters
    ----------
    frame, x, y, box
        As in `pipeline.segment.Detections`.
    pixels, ground
        The frame and the background at its time, or the parts of them that hold the cell.
    sitting
        Where it is in those.
    outline
        (m, 2) int32, in pixels of the shrunk frame.
    cut, touching
        Whether the border cuts the cell, whether it was split from a blob.
    focus
        Sharpness, see `pipeline.kernels.sharp`.
    """

    frame: int
    x: float
    y: float
    box: tuple[int, int, int, int]
    pixels: NDArray[Any]
    ground: NDArray[np.float32]
    sitting: Sitting
    outline: NDArray[np.int32]
    cut: bool
    touching: bool
    focus: float

    def cut_out(self) -> View:
        """The same with the parts that hold the cell only, so that the frame can be let go."""
        left, top, right, bottom = self.sitting.window
        part = np.s_[top:bottom, left:right]
        corner = self.sitting.corner
        sitting = self.sitting._replace(
            window=(0, 0, right - left, bottom - top), corner=(corner[0] + left, corner[1] + top)
        )
        return replace(
            self,
            pixels=self.pixels[part].copy(),
            ground=self.ground[part].copy(),
            outline=self.outline.copy(),
            sitting=sitting,
        )


@dataclass(slots=True)
class Shot:
    """One frame with what was found in it.

    Parameters
    ----------
    index
        Of the frame.
    pixels
        (H, W) grey values.
    found
        Its detections.
    background
        Of the frame.
    scores
        Of the detections as views.
    focus
        Sharpness of each.
    """

    index: int
    pixels: NDArray[Any]
    found: Detections
    background: Background
    scores: NDArray[np.float64]
    focus: NDArray[np.float64]


class ViewFinder:
    """Scores what was found in frames, and says where it is.

    Parameters
    ----------
    optics
        Of the recording.
    """

    def __init__(self, optics: Optics) -> None:
        self.optics = optics

    def shot(self, frame: Any, found: Detections, background: Background) -> Shot:
        """A frame with its detections, each with focus and score."""
        place = (found.x, found.y, found.area)
        scores, focus = score_views(frame.pixels, found.box, place, found.cut, found.touching)
        return Shot(frame.index, frame.pixels, found, background, scores, focus)

    def view(self, shot: Shot, index: int) -> View:
        """One detection of a frame."""
        found = shot.found
        left, top, width, height = box = tuple(found.box[index].tolist())
        room = max(1, round(RIM * max(width, height))) + 2
        high, wide = shot.pixels.shape
        x, y = float(found.x[index]), float(found.y[index])
        sitting = Sitting(
            window=(
                max(left - room, 0),
                max(top - room, 0),
                min(left + width + room, wide),
                min(top + height + room, high),
            ),
            corner=(0, 0),
            centre=(x, y),
            gain=found.gain,
            level=self.optics.level,
            shrink=self.optics.shrink,
        )
        return View(
            frame=found.frame,
            x=x,
            y=y,
            box=box,
            pixels=shot.pixels,
            ground=shot.background.image,
            sitting=sitting,
            outline=found.outlines[index],
            cut=bool(found.cut[index]),
            touching=bool(found.touching[index]),
            focus=float(shot.focus[index]),
        )
