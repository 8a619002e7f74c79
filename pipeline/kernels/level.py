"""How bright a frame is over a background."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled

#: Ratios this near to their median are averaged: the median of integers over a smooth background
#: is coarse.
_NEAR = 0.04
#: Fewer pixels than this tell nothing of brightness.
_FEWEST = 16
#: Brightness of a frame without light, so that it can be divided by.
_NONE = 1e-6


@compiled
def gain_over(flat: NDArray[Any], places: NDArray[np.int64], inverse: NDArray[np.float32]) -> float:
    """Median of the ratios of a frame to a background, then the mean of the ratios near it.

    Parameters
    ----------
    flat
        (H · W,) uint8 or uint16, pixels of the frame.
    places
        (n,) some of them.
    inverse
        (n,) float32, one over the background there.

    Returns
    -------
    float
        1 where they are fewer than 16.
    """
    if len(places) < _FEWEST:
        return 1.0
    ratio = np.empty(len(places), np.float32)
    for index in range(len(places)):
        ratio[index] = np.float32(flat[places[index]]) * inverse[index]
    middle = highest_but(ratio, len(ratio) - 1 - len(ratio) // 2)
    total, near = 0.0, 0
    for index in range(len(ratio)):
        if middle - _NEAR < ratio[index] < middle + _NEAR:
            total += ratio[index]
            near += 1
    return max(total / near if near else middle, _NONE)


@compiled
def round_into(
    result: NDArray[Any], values: NDArray[np.float32], factor: float, offset: float
) -> None:
    """Put ``factor · values + offset``, rounded and brought to what fits, into a picture.

    Parameters
    ----------
    result
        (h, w) uint8 or uint16.
    values
        (h, w) float32.
    """
    target, source = result.ravel(), values.ravel()
    most = np.float32(255 if result.itemsize == 1 else 65535)
    times, more = np.float32(factor), np.float32(offset)
    for place in range(len(target)):
        value = np.rint(source[place] * times + more)
        target[place] = np.int32(min(max(value, np.float32(0)), most))


@compiled
def highest_but(values: NDArray[np.float32], number: int) -> float:
    """The value that ``number`` others exceed, to a millionth of the highest; 0 if it is less.

    Counting what lies above a guess is fast, so the guess is halved in twenty times.
    """
    low, high = np.float32(0.0), values.max()
    for _ in range(20):
        middle = np.float32(0.5) * (low + high)
        # As wide as the values: so more of them are counted at once.
        above = np.int32(0)
        for place in range(len(values)):
            above = np.int32(above + np.int32(values[place] > middle))
        if above > number:
            low = middle
        else:
            high = middle
    return high
