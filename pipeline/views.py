"""Frames with what was found in them, scored as pictures of their cells.

A view is judged by completeness (not cut by the border), distance from neighbours and focus
(`pipeline.kernels.score`). While its track is open only its place among the best is kept; the few
pictures that win are drawn when it is over (`pipeline.kernels.portrait`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.background import Background
from pipeline.kernels.portrait import room_around
from pipeline.segment import Detections


@dataclass(slots=True)
class Shot:
    """One frame, or a part of one, with what was found in it.

    Parameters
    ----------
    index
        Of the frame.
    pixels
        (h, w) grey values.
    ground
        (h, w) float32, background at its time.
    found
        Its detections, in pixels of the frame.
    scores
        Of the detections as views.
    focus
        Sharpness of each, see `pipeline.kernels.sharp`.
    corner
        Left and top in the frame.
    """

    index: int
    pixels: NDArray[Any]
    ground: NDArray[np.float32]
    found: Detections
    scores: NDArray[np.float64]
    focus: NDArray[np.float64]
    corner: tuple[int, int] = (0, 0)

    def cut_out(self, index: int) -> Shot:
        """The part that shows one detection, so that the frame can be let go."""
        left, top, width, height = self.found.box[index].tolist()
        room = room_around(width, height)
        left, top = max(left - self.corner[0] - room, 0), max(top - self.corner[1] - room, 0)
        part = np.s_[top : top + height + 2 * room, left : left + width + 2 * room]
        one = slice(index, index + 1)
        return Shot(
            self.index,
            self.pixels[part].copy(),
            self.ground[part].copy(),
            self.found.only(index),
            self.scores[one].copy(),
            self.focus[one].copy(),
            (self.corner[0] + left, self.corner[1] + top),
        )


#: A detection as a picture of its cell: the frame, and which it is.
View = tuple[Shot, int]


def shot_of(frame: Any, found: Detections, background: Background) -> Shot:
    """A frame with its detections.

    Parameters
    ----------
    frame
        With ``index`` and ``pixels``.
    found
        Its detections.
    background
        Of the frame.
    """
    return Shot(frame.index, frame.pixels, background.image, found, found.scores, found.focus)
