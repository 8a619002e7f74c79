"""What is measured of a cell, with units.

Geometry comes from the mask with its holes filled, contrast from the pixels inside it. Nothing here
depends on how the cell is turned, and lengths are in µm, so nothing depends on the magnification
either, up to what sampling does to a picture.

- ``area_um2``: A, pixels × pixel²; ``diameter_um``: of the disc of the same area, sqrt(4 A / π).
- ``eccentricity``: of the ellipse with the same second moments, sqrt(1 − λ₂/λ₁), 0–1. λ are the
  eigenvalues of the central second moments (Hu 1962), each with the 1/12 that a square pixel adds,
  so that a line of pixels is no degenerate case.
- ``solidity``: area over the area of the convex hull, both in filled pixels, 0–1.
- ``contrast_mean``, ``contrast_sd``: of (frame − background) / level, see `pipeline.optics.Optics`.
- ``granularity``: deviation of the structure finer than about 1 µm, in units of contrast: of the
  picture less its Gaussian mean of σ = 0.5 µm, taken inside the mask only (normalised convolution,
  Knutsson & Westin 1993), so that the edge of the cell is no grain.
- ``texture``: the share of the variance that this mean itself has, 0–1: near 1 for a dark nucleus
  in pale cytoplasm, near 0 for pure grain; NaN for a flat picture.
- ``focus``: deviation of the Laplacian over the deviation of the grey values; independent of gain
  and offset. The variance of the Laplacian is the focus measure of Pech-Pacheco et al. 2000
  (ICPR 15, 314–317), here free of the cell's own contrast.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.columns import FEATURES
from pipeline.kernels.measure import measure_cell


def measure(
    contrast: NDArray[np.float32], mask: NDArray[np.uint8], pixel_size_um: float
) -> dict[str, float]:
    """All features of one picture of one cell but its focus.

    Parameters
    ----------
    contrast
        (h, w) float32, (frame − background) / level.
    mask
        (h, w) uint8, nonzero on the cell, holes filled.
    pixel_size_um
        Side of a pixel, µm.

    Returns
    -------
    dict
        Keys of `FEATURES` but ``focus``; NaN where nothing can be said.
    """
    values = measure_cell(contrast, mask, float(pixel_size_um)).tolist()
    return dict(zip(FEATURES[:-1], values, strict=True))
