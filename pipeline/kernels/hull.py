"""The convex hull of a mask, in pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled

#: Column of a left edge that is in no row yet.
_NONE = 2**30


@compiled
def hull_size(mask: NDArray[np.uint8]) -> int:
    """Pixels of the convex hull of a mask, drawn with its edges.

    Parameters
    ----------
    mask
        (h, w) uint8, nonzero inside.
    """
    height, width = mask.shape
    left, right = np.full(height, _NONE), np.full(height, -1)
    first, last = height, -1
    for row in range(height):
        for column in range(width):
            if mask[row, column]:
                left[row] = min(left[row], column)
                right[row] = column
        if right[row] >= 0:
            first, last = min(first, row), row
    if last < 0:
        return 0
    _make_convex(left, first, last, 1)
    _make_convex(right, first, last, -1)
    size = 0
    for row in range(first, last + 1):
        size += right[row] - left[row] + 1
    return size


@compiled
def _make_convex(edge: NDArray[np.int64], first: int, last: int, sense: int) -> None:
    """Move a left (sense 1) or right (−1) edge outwards onto its hull (Andrew 1979)."""
    kept = np.empty(last - first + 1, np.int64)
    number = 0
    for row in range(first, last + 1):
        if edge[row] < 0 or (sense == 1 and edge[row] == _NONE):
            continue
        while number >= 2:
            one, two = kept[number - 2], kept[number - 1]
            turn = (two - one) * (edge[row] - edge[one]) - (edge[two] - edge[one]) * (row - one)
            if turn * sense > 0:
                break
            number -= 1
        kept[number] = row
        number += 1
    for place in range(1, number):
        one, two = kept[place - 1], kept[place]
        _draw_edge(edge, (one, edge[one]), (two, edge[two]), sense)


@compiled
def _draw_edge(
    edge: NDArray[np.int64], start: tuple[int, int], end: tuple[int, int], sense: int
) -> None:
    """Let an edge reach every pixel of the straight line between two of its own."""
    if start[1] > end[1]:
        start, end = end, start
    rows, columns = end[0] - start[0], end[1] - start[1]
    steps = max(abs(rows), columns)
    for step in range(steps + 1):
        # Halfway between two pixels it stays with the one to the left, but for a right edge.
        way = np.ceil(abs(rows) * step / steps - 0.5)
        row = start[0] + int(way if rows > 0 else -way)
        across = columns * step / steps
        column = start[1] + int(np.ceil(across - 0.5) if sense > 0 else np.floor(across + 0.5))
        if sense > 0:
            edge[row] = min(edge[row], column)
        else:
            edge[row] = max(edge[row], column)
