"""Outlines as filled masks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled


@compiled
def fill_outline(
    outline: NDArray[np.int32], left: int, top: int, shrink: int, mask: NDArray[np.uint8]
) -> None:
    """Draw a closed outline, filled, into a mask of zeros: 255 inside and on it.

    Parameters
    ----------
    outline
        (m, 2) int32, x and y of its pixels in the shrunk frame.
    left, top
        Where the mask lies in the frame.
    shrink
        Whole number by which the frame was shrunk: the outline is drawn that many times larger,
        through the middle of the pixels that each stands for.
    mask
        (h, w) uint8, zeros; what lies beyond it is cut off.
    """
    height, width = mask.shape
    offset = np.rint((shrink - 1) / 2)
    number = len(outline)
    x0 = int(outline[number - 1, 0] * shrink + offset) - left
    y0 = int(outline[number - 1, 1] * shrink + offset) - top
    # Each step between rows turns inside into outside for what lies right of it.
    for place in range(number):
        x1 = int(outline[place, 0] * shrink + offset) - left
        y1 = int(outline[place, 1] * shrink + offset) - top
        steps = max(abs(x1 - x0), abs(y1 - y0))
        x, y = x0, y0
        for step in range(1, steps + 1):
            to_x, to_y = _between(x0, x1, step, steps), _between(y0, y1, step, steps)
            if to_y != y:
                row, column = (y, x) if y < to_y else (to_y, to_x)
                if 0 <= row < height and column < width:
                    mask[row, max(column, 0)] ^= 1
            x, y = to_x, to_y
        x0, y0 = x1, y1
    for row in range(height):
        inside = np.uint8(0)
        for column in range(width):
            inside ^= mask[row, column]
            mask[row, column] = 255 * inside
    for place in range(number):
        x1 = int(outline[place, 0] * shrink + offset) - left
        y1 = int(outline[place, 1] * shrink + offset) - top
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        for step in range(1, steps + 1):
            column, row = _between(x0, x1, step, steps), _between(y0, y1, step, steps)
            if 0 <= row < height and 0 <= column < width:
                mask[row, column] = 255
        x0, y0 = x1, y1


@compiled
def _between(start: int, end: int, step: int, steps: int) -> int:
    """Where one is after some of the steps from a pixel to another: mostly they are neighbours."""
    return end if step == steps else start + int(np.rint((end - start) * step / steps))
