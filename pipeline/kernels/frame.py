"""All that is done with the pixels of a frame, in one call: threads seldom wait for each other."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled
from pipeline.kernels.contours import find_borders
from pipeline.kernels.detect import Found, detect_things
from pipeline.kernels.ground import Bench, mark_off
from pipeline.kernels.level import gain_over, round_into
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


class Bare(NamedTuple):
    """The background, and what of a frame is as bare as it.

    Parameters
    ----------
    image
        (h, w) float32, background of the shrunk frame.
    places, inverse
        Pixels of the frame that tell its brightness, and one over the background there.
    low, high
        (h, w) of the frame's kind: least and greatest value of what is bare; the same memory where
        only what is darker counts.
    gain
        (1,) brightness that the bounds were made for, NaN before they were.
    tolerance, reach
        How far brightness may be off that; how far grey values of what is bare are off the
        background.
    """

    image: NDArray[np.float32]
    places: NDArray[np.int64]
    inverse: NDArray[np.float32]
    low: NDArray[Any]
    high: NDArray[Any]
    gain: NDArray[np.float64]
    tolerance: float
    reach: float


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
    bare: Bare,
    tools: Tools,
    room: Bench,
    paper: tuple[NDArray[np.uint64], NDArray[np.uint8]],
) -> tuple[float, Found, Sharp]:
    """Find the things of a frame, and score them as pictures of their cells.

    Parameters
    ----------
    frame, small
        (H, W) uint8 or uint16, and the same shrunk.
    bare
        Its bounds are made anew where the frame's brightness asks for it.
    room, paper
        From `pipeline.kernels.ground.bench` and `pipeline.kernels.contours.canvas`.

    Returns
    -------
    tuple of float, Found and Sharp
        The first is the brightness of the frame over the background.
    """
    gain = gain_over(frame.ravel(), bare.places, bare.inverse)
    if not abs(gain - bare.gain[0]) < bare.tolerance:
        bare.gain[0] = gain
        round_into(bare.low, bare.image, gain, -bare.reach)
        if tools.signs[1]:
            round_into(bare.high, bare.image, gain, bare.reach)
    mark_off(small, bare.low, bare.high, tools.signs, room)
    points, starts = find_borders(room.closed, paper[0], paper[1], tools.shortest)
    ground = (bare.image, gain)
    found = detect_things(
        points, starts, small, ground, tools.limits, tools.signs, tools.shrink, room.sums
    )
    place = (found.columns[0], found.columns[1], found.columns[2])
    scores, focus = score_views(frame, found.box, place, found.cut, found.touching)
    return gain, found, Sharp(scores, focus, usual_focus(focus, found.cut, found.touching))
