"""Figures of the pixels inside one cell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled


@compiled
def moments_inside(
    contrast: NDArray[np.float32], mask: NDArray[np.uint8]
) -> tuple[float, float, float, float, float, float]:
    """Area, mean and deviation of contrast, central second moments, of the pixels of a mask.

    Parameters
    ----------
    contrast
        (h, w) float32.
    mask
        (h, w) uint8, nonzero inside.

    Returns
    -------
    tuple of float
        Pixels; mean and standard deviation; mean of dx², of dy², of dx·dy, pixels². All but the
        first are NaN of an empty mask.
    """
    area, total, x, y = 0, 0.0, 0, 0
    for row in range(mask.shape[0]):
        for column in range(mask.shape[1]):
            if mask[row, column]:
                area += 1
                total += contrast[row, column]
                x += column
                y += row
    if area == 0:
        return 0.0, np.nan, np.nan, np.nan, np.nan, np.nan
    mean, x0, y0 = total / area, x / area, y / area
    spread, xx, yy, xy = 0.0, 0.0, 0.0, 0.0
    for row in range(mask.shape[0]):
        for column in range(mask.shape[1]):
            if mask[row, column]:
                spread += (contrast[row, column] - mean) ** 2
                xx += (column - x0) ** 2
                yy += (row - y0) ** 2
                xy += (column - x0) * (row - y0)
    return float(area), mean, np.sqrt(spread / area), xx / area, yy / area, xy / area


@compiled
def grain_inside(
    contrast: NDArray[np.float32],
    total: NDArray[np.float32],
    share: NDArray[np.float32],
    mask: NDArray[np.uint8],
) -> tuple[float, float]:
    """Deviation of contrast less its local mean ``total / share``, and of that mean, in a mask.

    Parameters
    ----------
    contrast, total, share
        (h, w) float32: contrast; it and the mask itself, both smoothed.
    mask
        (h, w) uint8, nonzero inside at least one pixel.
    """
    number, fine, fine2, coarse, coarse2 = 0, 0.0, 0.0, 0.0, 0.0
    for row in range(mask.shape[0]):
        for column in range(mask.shape[1]):
            if mask[row, column]:
                local = total[row, column] / max(share[row, column], 1e-6)
                grain = contrast[row, column] - local
                number += 1
                fine += grain
                fine2 += grain * grain
                coarse += local
                coarse2 += local * local
    fine_spread = max(fine2 / number - (fine / number) ** 2, 0.0)
    coarse_spread = max(coarse2 / number - (coarse / number) ** 2, 0.0)
    return np.sqrt(fine_spread), np.sqrt(coarse_spread)


@compiled
def rim_contrast(size: NDArray[np.float32], depth: NDArray[np.float32], reach: float) -> float:
    """Median of what lies ``reach`` to 2 × ``reach`` + 1 pixels deep; NaN where that is too little.

    Parameters
    ----------
    size
        (h, w) float32, contrast without its sign.
    depth
        (h, w) float32, distance to the outside, pixels.
    """
    values = np.empty(size.size, np.float32)
    number = 0
    for row in range(size.shape[0]):
        for column in range(size.shape[1]):
            if reach < depth[row, column] <= 2 * reach + 1:
                values[number] = size[row, column]
                number += 1
    if number < 8:
        return np.nan
    return np.partition(values[:number], number // 2)[number // 2]


@compiled
def within_edge(
    smooth: NDArray[np.float32], depth: NDArray[np.float32], half: float, core: float
) -> NDArray[np.uint8]:
    """255 where a cell is: inside and above ``half``, or deeper than ``core``.

    Parameters
    ----------
    smooth
        (h, w) float32, contrast without its sign, smoothed.
    depth
        (h, w) float32, distance to the outside, pixels; 0 outside.
    """
    result = np.zeros(depth.shape, np.uint8)
    for row in range(depth.shape[0]):
        for column in range(depth.shape[1]):
            deep = depth[row, column]
            if deep > core or (deep > 0 and smooth[row, column] > half):
                result[row, column] = 255
    return result
