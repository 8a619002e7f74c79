"""A mask and a rim around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled


@compiled
def widen(mask: NDArray[np.uint8], radius: int) -> NDArray[np.bool_]:
    """Whether each pixel lies in a mask or within a disc of some pixels of it.

    Parameters
    ----------
    mask
        (h, w) uint8, nonzero inside.
    radius
        Pixels; the disc is that of OpenCV's elliptic structuring element.
    """
    height, width = mask.shape
    away = _way_along_row(mask, radius + 1)
    result = np.zeros((height, width), np.bool_)
    for shift in range(-radius, radius + 1):
        reach = np.uint8(np.rint(np.sqrt(float(radius * radius - shift * shift))))
        for row in range(max(-shift, 0), min(height - shift, height)):
            line, other = result[row], away[row + shift]
            for column in range(width):
                line[column] |= other[column] <= reach
    return result


@compiled
def _way_along_row(mask: NDArray[np.uint8], most: int) -> NDArray[np.uint8]:
    """Pixels to the nearest one of the mask in the same row, at most ``most``."""
    height, width = mask.shape
    result = np.empty((height, width), np.uint8)
    for row in range(height):
        way = most
        for column in range(width):
            way = 0 if mask[row, column] else min(way + 1, most)
            result[row, column] = way
        way = most
        for column in range(width - 1, -1, -1):
            way = 0 if mask[row, column] else min(way + 1, most)
            result[row, column] = min(result[row, column], np.uint8(way))
    return result
