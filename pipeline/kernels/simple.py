"""Outlines with fewer corners."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled


@compiled
def simplify(
    points: NDArray[np.int32], starts: NDArray[np.int64], tolerance: float, shrink: int
) -> tuple[NDArray[np.int16], NDArray[np.int32]]:
    """Leave out the points of closed outlines that hardly matter (Douglas & Peucker 1973).

    Parameters
    ----------
    points, starts
        Outlines, as for `pipeline.kernels.outlines.measure_outlines`.
    tolerance
        No point that is left out lies farther from what is kept, pixels.
    shrink
        What coordinates are multiplied by.

    Returns
    -------
    values : int16
        x and y of each corner in turn, one outline after the other.
    sizes : (n,) int32
        Values of each outline.
    """
    values = np.empty(2 * len(points), np.int16)
    sizes = np.empty(len(starts) - 1, np.int32)
    number = 0
    for index in range(len(sizes)):
        outline = points[starts[index] : starts[index + 1]]
        kept = _corners(outline, tolerance)
        begin = number
        for place in range(len(outline)):
            if kept[place]:
                values[number] = outline[place, 0] * shrink
                values[number + 1] = outline[place, 1] * shrink
                number += 2
        sizes[index] = number - begin
    return values[:number].copy(), sizes


@compiled
def _corners(outline: NDArray[np.int32], tolerance: float) -> NDArray[np.bool_]:
    """Which points are kept."""
    number = len(outline)
    kept = np.zeros(number, np.bool_)
    one = _farthest_from(outline, 0)
    other = _farthest_from(outline, one)
    first, second = min(one, other), max(one, other)
    kept[first] = kept[second] = True
    waiting = np.empty((number + 2, 2), np.int64)
    waiting[0] = first, second
    waiting[1] = second, first + number
    count = 2
    while count > 0:
        count -= 1
        begin, end = waiting[count]
        place, away = _farthest_between(outline, begin, end)
        if away > tolerance:
            kept[place % number] = True
            waiting[count] = begin, place
            waiting[count + 1] = place, end
            count += 2
    return kept


@compiled
def _farthest_from(outline: NDArray[np.int32], place: int) -> int:
    most, result = -1, place
    for other in range(len(outline)):
        dx, dy = outline[other, 0] - outline[place, 0], outline[other, 1] - outline[place, 1]
        if dx * dx + dy * dy > most:
            most, result = dx * dx + dy * dy, other
    return result


@compiled
def _farthest_between(outline: NDArray[np.int32], begin: int, end: int) -> tuple[int, float]:
    """The point between two that lies farthest from the line through them, and how far."""
    number = len(outline)
    first, last = begin % number, end % number
    x0, y0 = int(outline[first, 0]), int(outline[first, 1])
    dx, dy = int(outline[last, 0]) - x0, int(outline[last, 1]) - y0
    point = first == last or (dx == 0 and dy == 0)
    most, result, at = -1, begin, first
    for place in range(begin + 1, end):
        at = at + 1 if at + 1 < number else 0
        x, y = int(outline[at, 0]) - x0, int(outline[at, 1]) - y0
        away = x * x + y * y if point else abs(x * dy - y * dx)
        if away > most:
            most, result = away, place
    if most < 0:
        return begin, -1.0
    if point:
        return result, np.sqrt(float(most))
    return result, most / np.sqrt(float(dx * dx + dy * dy))
