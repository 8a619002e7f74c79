"""Small pictures, smoothed.

Pictures get a rim as wide as the weights reach, and loops go over all rows as over one long one:
what that makes wrong at the ends of rows is rim. One long loop costs less than many short ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled


@compiled
def gaussian(values: NDArray[np.float32], sigma: float, mirrored: bool) -> NDArray[np.float32]:
    """Gaussian mean, out to 4 deviations.

    Parameters
    ----------
    values
        (h, w) float32.
    sigma
        Standard deviation, pixels.
    mirrored
        What lies beyond the border: the picture mirrored at its outermost pixels, or zero.
    """
    reach = int(np.rint(8 * sigma + 1)) // 2
    weights = np.empty(reach + 1)
    for tap in range(reach + 1):
        weights[tap] = np.exp(-(tap**2) / (2 * sigma * sigma))
    total = 2 * weights.sum() - weights[0]
    return weighted_mean(values, (weights / total).astype(np.float32), mirrored)


@compiled
def box_mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of 3 × 3 pixels, mirrored at the border."""
    return weighted_mean(values, np.full(2, np.float32(1 / 3), np.float32), True)


@compiled
def hat_mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of 3 × 3 pixels weighted 1, 2, 1 each way, mirrored at the border."""
    return weighted_mean(values, np.array([0.5, 0.25], np.float32), True)


@compiled
def weighted_mean(
    values: NDArray[np.float32], weights: NDArray[np.float32], mirrored: bool
) -> NDArray[np.float32]:
    """Weighted mean along the rows and then along the columns.

    Parameters
    ----------
    values
        (h, w) float32.
    weights
        Of the pixel itself, of its neighbours on both sides, of theirs and so on.
    mirrored
        As for `gaussian`.
    """
    height, width = values.shape
    reach = len(weights) - 1
    wide = _with_rim(values, reach, mirrored)
    pitch = wide.shape[1]
    along = _summed(wide.ravel(), weights, 1)
    both = _summed(along, weights, pitch).reshape(wide.shape)
    result = np.empty((height, width), np.float32)
    for row in range(height):
        for column in range(width):
            result[row, column] = both[reach + row, reach + column]
    return result


@compiled
def _summed(
    values: NDArray[np.float32], weights: NDArray[np.float32], away: int
) -> NDArray[np.float32]:
    """Weighted sum over places ``away`` apart on both sides."""
    reach = (len(weights) - 1) * away
    result = np.zeros(len(values), np.float32)
    inner = result[reach : len(values) - reach]
    own = values[reach : len(values) - reach]
    for place in range(len(inner)):
        inner[place] = weights[0] * own[place]
    for tap in range(1, len(weights)):
        weight = weights[tap]
        before, after = values[reach - tap * away :], values[reach + tap * away :]
        for place in range(len(inner)):
            inner[place] += weight * (before[place] + after[place])
    return result


@compiled
def _with_rim(values: NDArray[np.float32], reach: int, mirrored: bool) -> NDArray[np.float32]:
    """A picture with a rim: itself mirrored, or zero."""
    height, width = values.shape
    wide = np.zeros((height + 2 * reach, width + 2 * reach), np.float32)
    for row in range(height):
        line, source = wide[reach + row], values[row]
        for column in range(width):
            line[reach + column] = source[column]
        if mirrored:
            for away in range(1, reach + 1):
                line[reach - away] = source[_mirror(-away, width)]
                line[reach + width - 1 + away] = source[_mirror(width - 1 + away, width)]
    if mirrored:
        for away in range(1, reach + 1):
            wide[reach - away] = wide[reach + _mirror(-away, height)]
            wide[reach + height - 1 + away] = wide[reach + _mirror(height - 1 + away, height)]
    return wide


@compiled
def _mirror(place: int, size: int) -> int:
    """Where a place beyond the border lies when mirrored without repeating the border."""
    if size == 1:
        return 0
    while place < 0 or place >= size:
        place = -place if place < 0 else 2 * (size - 1) - place
    return place
