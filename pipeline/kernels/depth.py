"""How deep each pixel of a mask lies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled

_FAR = 1 << 29
#: Steps in 1/65536 pixel, after Borgefors 1986: to a side, over a corner, a knight's move.
_COARSE = (62587, 89738)
_FINE = (65536, 91750, 143976)


@compiled
def depth_of(mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Distance of each pixel to the nearest zero, pixels, by steps over 5 × 5 neighbours.

    Parameters
    ----------
    mask
        (h, w) uint8; zeros are outside, what lies beyond it is unknown.
    """
    return _depth(mask, _FINE[0], _FINE[1], _FINE[2])


@compiled
def rough_depth_of(mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    """As `depth_of`, by steps over 3 × 3 neighbours only: cheaper, up to 5 % off."""
    return _depth(mask, _COARSE[0], _COARSE[1], 0)


@compiled
def _depth(mask: NDArray[np.uint8], side: int, corner: int, knight: int) -> NDArray[np.float32]:
    """Distances by steps to a side, over a corner and, unless it is 0, a knight's move.

    What comes from the rows before is found for a whole row at once, in numbers as wide as what is
    stored; what comes along the row itself is found pixel by pixel.
    """
    height, width = mask.shape
    to_side, to_corner, by_knight = np.int32(side), np.int32(corner), np.int32(knight)
    # Two pixels of room all around, so that no step needs a look at where it is.
    far = np.full((height + 4, width + 4), _FAR, np.int32)
    result = np.empty((height, width), np.float32)
    for turn in range(2 * height):
        down = turn < height
        row = turn if down else 2 * height - 1 - turn
        before = -1 if down else 1
        own, near, next_but_one = far[row + 2], far[row + 2 + before], far[row + 2 + 2 * before]
        a, b, c, d, e = near[0:], near[1:], near[2:], near[3:], near[4:]
        here, left, right = own[2:], next_but_one[1:], next_but_one[3:]
        for column in range(width):
            least = min(here[column], np.int32(c[column] + to_side))
            here[column] = min(least, np.int32(min(b[column], d[column]) + to_corner))
        if knight:
            for column in range(width):
                least = min(a[column], e[column], left[column], right[column])
                here[column] = min(here[column], np.int32(least + by_knight))
        last = np.int32(_FAR)
        if down:
            inside = mask[row]
            for column in range(width):
                last = min(here[column], np.int32(last + to_side))
                last = last if inside[column] else np.int32(0)
                here[column] = last
        else:
            for column in range(width - 1, -1, -1):
                last = min(here[column], np.int32(last + to_side))
                here[column] = last
            for column in range(width):
                result[row, column] = np.float32(here[column]) * np.float32(1 / 65536)
    return result
