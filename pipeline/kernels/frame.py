"""All that is done with the pixels of a frame, in one call: threads seldom wait for each other."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled
from pipeline.kernels.contours import find_borders
from pipeline.kernels.detect import Found, detect_things
from pipeline.kernels.ground import Bench, mark_off
from pipeline.kernels.score import score_views, usual_focus
from pipeline.kernels.things import Limits


class Tools(NamedTuple):
    """What is the same for every frame of a recording.

    Parameters
    ----------
    limits
        See `pipeline.kernels.things.Limits`.
    signs
        Whether what is darker counts, whether what is brighter does.
    shrink
        Whole number by which frames are shrunk.
    shortest
        Outlines of fewer pixels are left out.
    """

    limits: Limits
    signs: tuple[bool, bool]
    shrink: int
    shortest: int


class Sharp(NamedTuple):
    """How things of a frame would stand for their cells, see `pipeline.kernels.score`.

    Parameters
    ----------
    scores, focus
        (n,) of each.
    usual
        Median focus of what is whole and single, and how many those are.
    """

    scores: NDArray[np.float64]
    focus: NDArray[np.float64]
    usual: tuple[float, int]


@compiled
def look_over(
    frame: NDArray[Any],
    small: NDArray[Any],
    bounds: tuple[NDArray[Any], NDArray[Any]],
    ground: tuple[NDArray[np.float32], float],
    tools: Tools,
    room: Bench,
    paper: tuple[NDArray[np.uint64], NDArray[np.uint8]],
) -> tuple[Found, Sharp]:
    """Find the things of a frame, and score them as pictures of their cells.

    Parameters
    ----------
    frame, small
        (H, W) uint8 or uint16, and the same shrunk.
    bounds
        Least and greatest value of what is bare, as for `pipeline.kernels.ground.mark_off`.
    ground
        As for `pipeline.kernels.things.are_things`.
    room, paper
        From `pipeline.kernels.ground.bench` and `pipeline.kernels.contours.canvas`.
    """
    mark_off(small, bounds[0], bounds[1], tools.signs, room)
    points, starts = find_borders(room.closed, paper[0], paper[1], tools.shortest)
    found = detect_things(
        points, starts, small, ground, tools.limits, tools.signs, tools.shrink, room.sums
    )
    place = (found.columns[0], found.columns[1], found.columns[2])
    scores, focus = score_views(frame, found.box, place, found.cut, found.touching)
    return found, Sharp(scores, focus, usual_focus(focus, found.cut, found.touching))
