"""Touching cells apart.

Two round cells that touch make one outline with two notches facing each other. The distance
transform of such a shape has two summits with a saddle between them; the cut goes through the
saddle. A lobed nucleus whose cytoplasm is pale makes the same figure at a smaller size, so the
pieces must each be large enough to be a cell of this recording.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled
from pipeline.kernels.depth import depth_of
from pipeline.kernels.fill import fill_outline
from pipeline.kernels.outlines import AREA, HEIGHT, LEFT, SOLIDITY, TOP, WIDTH
from pipeline.kernels.parts import nearest_summit, separate_summits
from pipeline.kernels.smooth import hat_mean
from pipeline.kernels.trace import area_within, border_of_largest

#: Whole cells are convex but for a few pixels of their outline.
_CONVEX = 0.95
#: A saddle must lie this much below the lower summit: shallower ones are bumps of one cell.
_SADDLE = 0.92
#: Pieces of one outline, at most.
_MOST = 255


@compiled
def may_be_several(row: NDArray[np.float64], smallest: float) -> bool:
    """Whether an outline is large and notched enough to hold two cells.

    Parameters
    ----------
    row
        (8,) from `pipeline.kernels.outlines.measure_outline`.
    smallest
        Diameter of the smallest piece that can be a cell, pixels.
    """
    return row[AREA] >= 1.6 * np.pi / 4 * smallest**2 and row[SOLIDITY] <= _CONVEX


@compiled
def cut_apart(
    outline: NDArray[np.int32], row: NDArray[np.float64], smallest: float
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Cut an outline into cells.

    Parameters
    ----------
    outline
        (m, 2) int32.
    row, smallest
        As for `may_be_several`.

    Returns
    -------
    points : (M, 2) int32
        Outlines of the pieces, one after the other.
    starts : (k + 1,) int64
        Where each begins, and the end; of none where nothing speaks for several cells.
    """
    left, top = int(row[LEFT]) - 1, int(row[TOP]) - 1
    mask = np.zeros((int(row[HEIGHT]) + 2, int(row[WIDTH]) + 2), np.uint8)
    fill_outline(outline, left, top, 1, mask)
    distance = depth_of(mask)
    seeds = summits(distance, smallest)[:_MOST]
    while len(seeds) > 1:
        # The power diagram of the inscribed discs (Aurenhammer 1987): least |p − c|² − r². Discs
        # part along the chord through their crossings, which is where touching cells meet; a
        # watershed of the quantised distance map was tried and floods along its plateaus.
        points, starts = _outlines_of(nearest_summit(mask, distance, seeds), len(seeds))
        large = _large_enough(points, starts, 0.8 * smallest)
        if large.all():
            points[:, 0] += left
            points[:, 1] += top
            return points, starts
        # What is too small for a cell goes to its neighbours.
        seeds = seeds[large]
    return outline[:0].copy(), np.zeros(1, np.int64)


@compiled
def summits(distance: NDArray[np.float32], smallest: float) -> NDArray[np.int64]:
    """Summits of a distance map that stand apart by a real saddle, highest first.

    Parameters
    ----------
    distance
        (h, w) float32, distance to the outside in pixels.
    smallest
        Diameter of the smallest cell: a summit must reach 0.35 of it.

    Returns
    -------
    (k, 2) int64
        Row and column.
    """
    reach = max(3, int(0.35 * smallest)) // 2
    return separate_summits(hat_mean(distance), reach, smallest, _SADDLE)


@compiled
def _outlines_of(
    regions: NDArray[np.uint8], number: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Outer border of the largest part of each region from 1 to ``number``."""
    starts = np.zeros(number + 1, np.int64)
    points = np.empty((4 * regions.size + number, 2), np.int32)
    for name in range(1, number + 1):
        border = border_of_largest(regions, name)
        starts[name] = starts[name - 1] + len(border)
        points[starts[name - 1] : starts[name]] = border
    return points[: starts[number]].copy(), starts


@compiled
def _large_enough(
    points: NDArray[np.int32], starts: NDArray[np.int64], least: float
) -> NDArray[np.bool_]:
    """Whether each outline's diameter, that of the disc of its area, reaches a length."""
    result = np.zeros(len(starts) - 1, np.bool_)
    for index in range(len(result)):
        piece = points[starts[index] : starts[index + 1]]
        if len(piece):
            result[index] = np.sqrt(4 * area_within(piece) / np.pi) >= least
    return result
