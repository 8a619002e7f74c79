"""All that is measured of one picture of one cell; formulas in `pipeline.features`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled
from pipeline.kernels.hull import hull_size
from pipeline.kernels.inside import grain_inside, moments_inside
from pipeline.kernels.smooth import gaussian


@compiled
def measure_cell(
    contrast: NDArray[np.float32], mask: NDArray[np.uint8], pixel_size_um: float
) -> NDArray[np.float64]:
    """Features in the order of `pipeline.features.FEATURES`, all but the last.

    Parameters
    ----------
    contrast
        (h, w) float32, (frame − background) / background level.
    mask
        (h, w) uint8, nonzero on the cell, holes filled.
    pixel_size_um
        Side of a pixel, µm.

    Returns
    -------
    (8,) float64
        NaN where nothing can be said.
    """
    result = np.full(8, np.nan)
    area, mean, spread, xx, yy, xy = moments_inside(contrast, mask)
    if area == 0:
        return result
    result[0] = area * pixel_size_um**2
    result[1] = np.sqrt(4 * area / np.pi) * pixel_size_um
    # The eigenvalues of the second moments, with what a square pixel adds.
    middle, half = (xx + yy) / 2 + 1 / 12, np.hypot((xx - yy) / 2, xy)
    result[2] = np.sqrt(max(0.0, 1 - (middle - half) / (middle + half)))
    result[3] = area / max(hull_size(mask), 1)
    result[4], result[5] = mean, spread
    result[6] = 0.0
    if spread > 1e-6:
        fine, coarse = _structure(contrast, mask, max(0.5 / pixel_size_um, 0.4))
        result[6], result[7] = fine, min((coarse / spread) ** 2, 1.0)
    return result


@compiled
def _structure(
    contrast: NDArray[np.float32], mask: NDArray[np.uint8], sigma: float
) -> tuple[float, float]:
    """Deviation of what is finer than a Gaussian mean inside the mask, and of that mean."""
    top, bottom, left, right = box_of(mask)
    own, inside = contrast[top:bottom, left:right], mask[top:bottom, left:right]
    weight = np.zeros(inside.shape, np.float32)
    weighted = np.zeros(inside.shape, np.float32)
    for row in range(inside.shape[0]):
        for column in range(inside.shape[1]):
            if inside[row, column]:
                weight[row, column] = 1.0
                weighted[row, column] = own[row, column]
    total, share = gaussian(weighted, sigma, False), gaussian(weight, sigma, False)
    return grain_inside(own, total, share, inside)


@compiled
def box_of(mask: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """First and last row, first and last column of a mask, the last ones excluded."""
    top, bottom, left, right = mask.shape[0], 0, mask.shape[1], 0
    for row in range(mask.shape[0]):
        for column in range(mask.shape[1]):
            if mask[row, column]:
                top, bottom = min(top, row), row + 1
                left, right = min(left, column), max(right, column + 1)
    return top, bottom, left, right
