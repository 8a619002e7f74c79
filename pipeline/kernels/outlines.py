"""Place, size and form of many outlines at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled

#: Columns of what is measured.
X, Y, AREA, SOLIDITY, LEFT, TOP, WIDTH, HEIGHT = range(8)


@compiled
def measure_outlines(points: NDArray[np.int32], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Measure closed outlines through pixel centres.

    Parameters
    ----------
    points
        (M, 2) int32: the outlines' pixels, x and y, one outline after the other.
    starts
        (n + 1,): where each begins in ``points``, and the end.

    Returns
    -------
    (n, 8) float64
        Centroid x and y of the polygon (Green's theorem); pixels inside and on it (Pick's theorem:
        A + b/2 + 1); that over the same of its convex hull; left, top, width, height.
    """
    result = np.empty((len(starts) - 1, 8))
    for index in range(len(starts) - 1):
        measure_outline(points[starts[index] : starts[index + 1]], result[index])
    return result


@compiled
def measure_outline(outline: NDArray[np.int32], row: NDArray[np.float64]) -> None:
    """Measure one outline, (m, 2) int32, into a row of what `measure_outlines` gives."""
    left = right = int(outline[0, 0])
    top = bottom = int(outline[0, 1])
    twice, sum_x, sum_y, mean_x, mean_y = 0, 0, 0, 0, 0
    number = len(outline)
    # Around its first point the products stay small.
    x0, y0 = int(outline[0, 0]), int(outline[0, 1])
    last_x, last_y = int(outline[number - 1, 0]) - x0, int(outline[number - 1, 1]) - y0
    for place in range(number):
        x, y = int(outline[place, 0]), int(outline[place, 1])
        left, right = min(left, x), max(right, x)
        top, bottom = min(top, y), max(bottom, y)
        dx, dy = x - x0, y - y0
        turn = last_x * dy - dx * last_y
        twice += turn
        sum_x += turn * (last_x + dx)
        sum_y += turn * (last_y + dy)
        mean_x += dx
        mean_y += dy
        last_x, last_y = dx, dy
    if twice != 0:
        row[0], row[1] = x0 + sum_x / (3 * twice), y0 + sum_y / (3 * twice)
    else:
        row[0], row[1] = x0 + mean_x / number, y0 + mean_y / number
    area = abs(twice) / 2 + number / 2 + 1
    full = _hull_area(outline, left, right) + number / 2 + 1
    row[2] = area
    row[3] = min(area / full, 1.0)
    row[4], row[5], row[6], row[7] = left, top, right - left + 1, bottom - top + 1


@compiled
def _hull_area(outline: NDArray[np.int32], left: int, right: int) -> float:
    """Area of the convex hull, by the extremes of each column (Andrew 1979, monotone chain)."""
    width = right - left + 1
    low = np.full(width, 2**31 - 1, np.int64)
    high = np.full(width, -(2**31), np.int64)
    for place in range(len(outline)):
        column, y = outline[place, 0] - left, int(outline[place, 1])
        low[column], high[column] = min(low[column], y), max(high[column], y)
    return _area_under(high, 1) - _area_under(low, -1)


@compiled
def _area_under(edge: NDArray[np.int64], sense: int) -> float:
    """Area between the x axis and the upper (sense 1) or lower (−1) convex chain of an edge."""
    kept = np.empty(len(edge), np.int64)
    number = 0
    for column in range(len(edge)):
        while number >= 2:
            one, two = kept[number - 2], kept[number - 1]
            turn = (two - one) * (edge[column] - edge[one]) - (edge[two] - edge[one]) * (
                column - one
            )
            if turn * sense < 0:
                break
            number -= 1
        kept[number] = column
        number += 1
    total = 0.0
    for place in range(1, number):
        one, two = kept[place - 1], kept[place]
        total += (two - one) * (edge[one] + edge[two]) / 2
    return total
