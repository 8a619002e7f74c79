"""Grey values of video range as those of full range."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled

#: Black and white in video range (ITU-R BT.601).
_BLACK, _WHITE = np.uint8(16), np.uint8(235)
#: 36/219 of 2¹⁶, rounded up: 255/219 is 1 + 36/219. Its error stays below a seventy-third, the step
#: of what it is to tell apart.
_MORE = 10774
#: Half a grey less than a whole number comes of these; it goes to the even one below it. (Of 16 and
#: 162 too, where that is the number itself.)
_TIES = np.uint8(89), np.uint8(235)
#: Pixels done at once, so that they stay in the fastest memory between the loops.
_BLOCK = 1024


@compiled
def stretch(flat: NDArray[np.uint8]) -> None:
    """Bring 16–235 to 0–255 in place: 255/219 (v − 16) − ½, rounded to the nearest.

    Parameters
    ----------
    flat
        (n,) uint8; what lies below black or above white becomes black or white.
    """
    room = np.empty(_BLOCK, np.uint8)
    for begin in range(0, len(flat), _BLOCK):
        part = flat[begin : begin + _BLOCK]
        for place in range(len(part)):
            room[place] = min(max(part[place], _BLACK), _WHITE) - _BLACK
        for place in range(len(part)):
            tie = (part[place] == _TIES[0]) | (part[place] == _TIES[1])
            part[place] = room[place] + ((room[place] * _MORE) >> 16) - tie
