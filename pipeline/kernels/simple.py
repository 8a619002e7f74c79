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
    # Twice around, so that no loop needs a look at where it is.
    x, y = np.empty(2 * number, np.int32), np.empty(2 * number, np.int32)
    for place in range(number):
        x[place] = x[number + place] = outline[place, 0]
        y[place] = y[number + place] = outline[place, 1]
    kept, away = np.zeros(number, np.bool_), np.empty(2 * number, np.int32)
    _away_from_point(x[:number], y[:number], x[0], y[0], away)
    one = _first_highest(away[:number])[0]
    _away_from_point(x[:number], y[:number], x[one], y[one], away)
    other = _first_highest(away[:number])[0]
    first, second = min(one, other), max(one, other)
    kept[first] = kept[second] = True
    waiting = np.empty((number + 2, 2), np.int64)
    waiting[0] = first, second
    waiting[1] = second, first + number
    count = 2
    while count > 0:
        count -= 1
        begin, end = waiting[count]
        if end <= begin + 1:
            continue
        part = away[: end - begin - 1]
        length = _away_from_line(x[begin : end + 1], y[begin : end + 1], part)
        place, most = _first_highest(part)
        place += begin + 1
        if (most / length if length > 0 else np.sqrt(float(most))) > tolerance:
            kept[place % number] = True
            waiting[count] = begin, place
            waiting[count + 1] = place, end
            count += 2
    return kept


@compiled
def _away_from_point(
    x: NDArray[np.int32], y: NDArray[np.int32], x0: int, y0: int, away: NDArray[np.int32]
) -> None:
    """Squared distances from a point."""
    for place in range(len(x)):
        dx, dy = x[place] - x0, y[place] - y0
        away[place] = dx * dx + dy * dy


@compiled
def _away_from_line(x: NDArray[np.int32], y: NDArray[np.int32], away: NDArray[np.int32]) -> float:
    """Distances of points from the line through the first and the last, times what is returned.

    0 where these are one and the same: then it is squared distances from there.
    """
    x0, y0 = x[0], y[0]
    dx, dy = x[-1] - x0, y[-1] - y0
    inner_x, inner_y = x[1:-1], y[1:-1]
    if dx == 0 and dy == 0:
        _away_from_point(inner_x, inner_y, x0, y0, away)
        return 0.0
    for place in range(len(away)):
        away[place] = abs(np.int32((inner_x[place] - x0) * dy - (inner_y[place] - y0) * dx))
    return np.sqrt(float(dx * dx + dy * dy))


@compiled
def _first_highest(values: NDArray[np.int32]) -> tuple[int, int]:
    """Place of the highest of at least one value, the first of equals, and that value."""
    most = values[0]
    for place in range(len(values)):
        most = max(most, values[place])
    for place in range(len(values)):
        if values[place] == most:
            return place, most
    return 0, most
