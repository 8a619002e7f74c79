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
    side, corner, knight = _FINE
    height, width = mask.shape
    # Two pixels of room all around, so that no step needs a look at where it is.
    far = np.full((height + 4, width + 4), _FAR, np.int32)
    for row in range(height):
        here, above, over = far[row + 2], far[row + 1], far[row]
        for column in range(width):
            place = column + 2
            least = 0
            if mask[row, column]:
                least = min(above[place] + side, here[place - 1] + side)
                least = min(least, min(above[place - 1], above[place + 1]) + corner)
                least = min(least, min(above[place - 2], above[place + 2]) + knight)
                least = min(least, min(over[place - 1], over[place + 1]) + knight)
            here[place] = min(least, _FAR)
    result = np.empty((height, width), np.float32)
    for row in range(height - 1, -1, -1):
        here, below, under = far[row + 2], far[row + 3], far[row + 4]
        for column in range(width - 1, -1, -1):
            place = column + 2
            least = here[place]
            if least > side:
                least = min(least, min(below[place], here[place + 1]) + side)
                least = min(least, min(below[place - 1], below[place + 1]) + corner)
                least = min(least, min(below[place - 2], below[place + 2]) + knight)
                least = min(least, min(under[place - 1], under[place + 1]) + knight)
                here[place] = least
            result[row, column] = np.float32(least) * np.float32(1 / 65536)
    return result


@compiled
def rough_depth_of(mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    """As `depth_of`, by steps over 3 × 3 neighbours only: cheaper, up to 5 % off."""
    side, corner = _COARSE
    height, width = mask.shape
    far = np.full((height + 2, width + 2), _FAR, np.int32)
    for row in range(height):
        here, above = far[row + 1], far[row]
        for column in range(width):
            place = column + 1
            least = 0
            if mask[row, column]:
                least = min(above[place], here[place - 1]) + side
                least = min(least, min(above[place - 1], above[place + 1]) + corner)
            here[place] = min(least, _FAR)
    result = np.empty((height, width), np.float32)
    for row in range(height - 1, -1, -1):
        here, below = far[row + 1], far[row + 2]
        for column in range(width - 1, -1, -1):
            place = column + 1
            least = here[place]
            if least > side:
                least = min(least, min(below[place], here[place + 1]) + side)
                least = min(least, min(below[place - 1], below[place + 1]) + corner)
                here[place] = least
            result[row, column] = np.float32(least) * np.float32(1 / 65536)
    return result
