"""Small pictures, smoothed."""

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
    taps = np.empty(2 * reach + 1)
    for tap in range(2 * reach + 1):
        taps[tap] = np.exp(-((tap - reach) ** 2) / (2 * sigma * sigma))
    weights = (taps / taps.sum()).astype(np.float32)
    return _across(_along(values, weights, mirrored), weights, mirrored)


@compiled
def box_mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of 3 × 3 pixels, mirrored at the border."""
    weights = np.full(3, np.float32(1 / 3), np.float32)
    return _across(_along(values, weights, True), weights, True)


@compiled
def hat_mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of 3 × 3 pixels weighted 1, 2, 1 each way, mirrored at the border."""
    weights = np.array([0.25, 0.5, 0.25], np.float32)
    return _across(_along(values, weights, True), weights, True)


@compiled
def _along(
    values: NDArray[np.float32], weights: NDArray[np.float32], mirrored: bool
) -> NDArray[np.float32]:
    """Weighted mean along the rows."""
    height, width = values.shape
    reach = len(weights) // 2
    wide = np.zeros(width + 2 * reach, np.float32)
    result = np.empty((height, width), np.float32)
    for row in range(height):
        for column in range(width):
            wide[reach + column] = values[row, column]
        if mirrored:
            for away in range(1, reach + 1):
                wide[reach - away] = values[row, _mirror(-away, width)]
                wide[reach + width - 1 + away] = values[row, _mirror(width - 1 + away, width)]
        line = result[row]
        for column in range(width):
            line[column] = weights[reach] * wide[reach + column]
        for tap in range(1, reach + 1):
            weight = weights[reach + tap]
            for column in range(width):
                both = wide[reach + column - tap] + wide[reach + column + tap]
                line[column] += weight * both
    return result


@compiled
def _across(
    values: NDArray[np.float32], weights: NDArray[np.float32], mirrored: bool
) -> NDArray[np.float32]:
    """Weighted mean along the columns."""
    height, width = values.shape
    reach = len(weights) // 2
    nothing = np.zeros(width, np.float32)
    result = np.empty((height, width), np.float32)
    for row in range(height):
        line, middle = result[row], values[row]
        for column in range(width):
            line[column] = weights[reach] * middle[column]
        for tap in range(1, reach + 1):
            above, below, weight = nothing, nothing, weights[reach + tap]
            if row - tap >= 0 or mirrored:
                above = values[_mirror(row - tap, height)]
            if row + tap < height or mirrored:
                below = values[_mirror(row + tap, height)]
            for column in range(width):
                line[column] += weight * (above[column] + below[column])
    return result


@compiled
def _mirror(place: int, size: int) -> int:
    """Where a place beyond the border lies when mirrored without repeating the border."""
    if size == 1:
        return 0
    while place < 0 or place >= size:
        place = -place if place < 0 else 2 * (size - 1) - place
    return place
