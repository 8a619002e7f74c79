"""Summits of a distance map, and which pixel belongs to which of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled


@compiled
def separate_summits(
    height: NDArray[np.float32], reach: int, smallest: float, saddle: float
) -> NDArray[np.int64]:
    """Summits that stand apart by a real saddle, highest first.

    Parameters
    ----------
    height
        (h, w) float32, smoothed distance to the outside, pixels.
    reach
        Pixels to each side among which a summit is the highest.
    smallest
        Diameter of the smallest cell, pixels: a summit reaches 0.35 of it.
    saddle
        Share of the lower summit below which the way between two must dip.

    Returns
    -------
    (k, 2) int64
        Row and column.
    """
    rows, columns, values = _summits(height, reach, 0.35 * smallest)
    kept = np.empty((len(rows), 2), np.int64)
    number = 0
    for place in np.argsort(values, kind="mergesort"):
        row, column = rows[place], columns[place]
        apart = True
        for other in range(number):
            if not _apart(height, (row, column), kept[other], smallest, saddle):
                apart = False
                break
        if apart:
            kept[number, 0], kept[number, 1] = row, column
            number += 1
    return kept[:number]


@compiled
def _summits(
    height: NDArray[np.float32], reach: int, least: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Rows and columns of pixels above ``least`` that none around exceeds; heights, negative."""
    high, wide = height.shape
    rows, columns = np.empty(height.size, np.int64), np.empty(height.size, np.int64)
    values = np.empty(height.size)
    number = 0
    for row in range(high):
        for column in range(wide):
            if height[row, column] > least and _is_highest(height, row, column, reach):
                rows[number], columns[number] = row, column
                values[number] = -height[row, column]
                number += 1
    return rows[:number], columns[:number], values[:number]


@compiled
def _is_highest(height: NDArray[np.float32], row: int, column: int, reach: int) -> bool:
    value, (high, wide) = height[row, column], height.shape
    # Nearly all are told from a summit by a neighbour.
    for near in range(1, reach + 1):
        for other_row in range(max(row - near, 0), min(row + near + 1, high)):
            step = 1 if other_row in (row - near, row + near) else 2 * near
            for other in range(column - near, column + near + 1, step):
                if 0 <= other < wide and height[other_row, other] > value:
                    return False
    return True


@compiled
def _apart(
    height: NDArray[np.float32],
    one: tuple[int, int],
    other: NDArray[np.int64],
    smallest: float,
    saddle: float,
) -> bool:
    """Whether the straight way between two summits dips deep enough."""
    row, column = one
    gap = np.hypot(float(row - other[0]), float(column - other[1]))
    if gap < 0.5 * smallest:
        return False
    steps = max(int(gap), 3)
    lowest = height[row, column]
    for step in range(steps):
        share = step / (steps - 1)
        there = height[
            int(np.rint(row + share * (other[0] - row))),
            int(np.rint(column + share * (other[1] - column))),
        ]
        lowest = min(lowest, there)
    return lowest < saddle * min(height[row, column], height[other[0], other[1]])


@compiled
def nearest_summit(
    mask: NDArray[np.uint8], distance: NDArray[np.float32], seeds: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """Number of the summit each pixel of a mask belongs to, from 1; 0 outside.

    Parameters
    ----------
    mask
        (h, w) uint8, nonzero inside.
    distance
        (h, w) float32, distance to the outside, pixels.
    seeds
        (k, 2) row and column of at most 255 summits.
    """
    result = np.zeros(mask.shape, np.uint8)
    least = np.empty(mask.shape[1])
    for row in range(mask.shape[0]):
        own, nearest = mask[row], result[row]
        least[:] = np.inf
        for name in range(len(seeds)):
            at_row, at_column = seeds[name, 0], seeds[name, 1]
            radius = distance[at_row, at_column]
            square, down = float(radius * radius), float((row - at_row) ** 2)
            for column in range(len(own)):
                power = down + float(column - at_column) ** 2 - square
                if own[column] and power < least[column]:
                    least[column], nearest[column] = power, name + 1
    return result
