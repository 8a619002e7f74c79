"""Sharpness of many parts of one frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled


@compiled
def sharpness_of(pixels: NDArray[Any], boxes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Deviation of the Laplacian over the deviation of the grey values, of each box.

    Parameters
    ----------
    pixels
        (H, W) uint8 or uint16.
    boxes
        (n, 4): left, top, width, height; what lies beyond the frame is left out.

    Returns
    -------
    (n,) float64
        0 where a box is smaller than 3 × 3 or flat. The border is mirrored without its own pixels.
    """
    result = np.zeros(len(boxes))
    for index in range(len(boxes)):
        left, top = max(boxes[index, 0], 0), max(boxes[index, 1], 0)
        right = min(boxes[index, 0] + boxes[index, 2], pixels.shape[1])
        bottom = min(boxes[index, 1] + boxes[index, 3], pixels.shape[0])
        if right - left >= 3 and bottom - top >= 3:
            result[index] = _sharpness(pixels[top:bottom, left:right])
    return result


@compiled
def _sharpness(part: NDArray[Any]) -> float:
    height, width = part.shape
    grey, grey2, edge, edge2 = 0, 0, 0, 0
    for row in range(height):
        over = part[row - 1 if row > 0 else 1]
        under = part[row + 1 if row < height - 1 else height - 2]
        # The first and the last column by themselves: so the loop need not look where it is.
        for side, beside in ((0, 1), (width - 1, width - 2)):
            value = int(part[row, side])
            change = int(over[side]) + int(under[side]) + 2 * int(part[row, beside]) - 4 * value
            grey += value
            grey2 += value * value
            edge += change
            edge2 += change * change
        before, own, after = part[row, : width - 2], part[row, 1 : width - 1], part[row, 2:]
        above, below = over[1 : width - 1], under[1 : width - 1]
        for column in range(width - 2):
            value = int(own[column])
            change = int(above[column]) + int(below[column]) - 4 * value
            change += int(before[column]) + int(after[column])
            grey += value
            grey2 += value * value
            edge += change
            edge2 += change * change
    number = height * width
    spread = grey2 / number - (grey / number) ** 2
    if spread <= 1e-9:
        return 0.0
    return np.sqrt(max(edge2 / number - (edge / number) ** 2, 0.0) / spread)
