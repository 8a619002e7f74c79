"""What the border of the picture cuts, completed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled
from pipeline.kernels.outlines import AREA, HEIGHT, LEFT, TOP, WIDTH, X, Y


@compiled
def complete_discs(table: NDArray[np.float64], height: int, width: int) -> NDArray[np.bool_]:
    """Complete what one border cuts to a disc; changes x, y and area in place.

    A disc of radius R cut by a straight border shows depth p across it and extent c along it.
    With its centre inside, c = 2R; outside, c is a chord at distance R − p from the centre and
    R = (c²/4 + p²) / 2p. Both agree at p = c/2.

    Parameters
    ----------
    table
        (n, 8) from `pipeline.kernels.outlines.measure_outlines`.
    height, width
        Of the picture.

    Returns
    -------
    (n,) bool
        Whether any border cuts it.
    """
    touched = np.zeros(len(table), np.bool_)
    for index in range(len(table)):
        row = table[index]
        near_x, near_y = row[LEFT] <= 0, row[TOP] <= 0
        cut_x = near_x or row[LEFT] + row[WIDTH] >= width
        cut_y = near_y or row[TOP] + row[HEIGHT] >= height
        touched[index] = cut_x or cut_y
        if cut_x and not cut_y:
            row[X], row[AREA] = _completed(row[WIDTH], row[HEIGHT], row[AREA], near_x, width)
        elif cut_y and not cut_x:
            row[Y], row[AREA] = _completed(row[HEIGHT], row[WIDTH], row[AREA], near_y, height)
    return touched


@compiled
def _completed(
    depth: float, extent: float, area: float, near: bool, size: int
) -> tuple[float, float]:
    """Centre across the border, and area of the whole."""
    radius = (extent**2 / 4 + depth**2) / (2 * depth) if depth < extent / 2 else extent / 2
    centre = (depth - radius if near else size - depth + radius) - 0.5
    # Less than a third of a cell, or a blob of several, says too little of the rest.
    return centre, min(max(np.pi * radius**2, area), 3 * area)
