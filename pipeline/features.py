"""What is measured of a cell, with units.

Geometry comes from the mask with its holes filled, contrast from the pixels inside it. Every
formula stands at its function; the source where it is not elementary. Nothing here depends on how
the cell is turned, and lengths are in µm, so nothing depends on the magnification either, up to
what sampling does to a picture.
"""

from __future__ import annotations

from math import hypot, pi, sqrt
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.columns import FEATURES
from pipeline.kernels.inside import grain_inside, moments_inside


def measure(
    contrast: NDArray[np.float32], mask: NDArray[np.uint8], pixel_size_um: float
) -> dict[str, float]:
    """All features of one picture of one cell but its focus.

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
    dict
        Keys of `FEATURES` but ``focus``; NaN where nothing can be said.
    """
    area, mean, spread, *second = moments_inside(contrast, mask)
    if area == 0:
        return dict.fromkeys(FEATURES[:-1], float("nan"))
    fine, coarse = structure(contrast, mask, pixel_size_um, spread)
    return {
        "area_um2": area * pixel_size_um**2,
        "diameter_um": equivalent_diameter(area) * pixel_size_um,
        "eccentricity": eccentricity(*second),
        "solidity": solidity(mask),
        "contrast_mean": mean,
        "contrast_sd": spread,
        "granularity": fine,
        "texture": coarse,
    }


def equivalent_diameter(area: float) -> float:
    """Diameter of the disc of the same area: sqrt(4 A / π), in the unit of the area's side."""
    return sqrt(4 * area / pi)


def eccentricity(xx: float, yy: float, xy: float) -> float:
    """Eccentricity of the ellipse with these second moments: sqrt(1 − λ₂/λ₁), 0–1.

    λ are the eigenvalues of the central second moments (Hu 1962), each with the 1/12 that a square
    pixel adds, so that a line of pixels is no degenerate case.
    """
    middle, half = (xx + yy) / 2 + 1 / 12, hypot((xx - yy) / 2, xy)
    return sqrt(max(0.0, 1 - (middle - half) / (middle + half)))


def solidity(mask: NDArray[np.uint8]) -> float:
    """Area over the area of the convex hull, both in filled pixels, 0–1."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    hull = cv2.convexHull(np.concatenate(outlines))
    full = np.zeros_like(mask)
    cv2.fillConvexPoly(full, hull, 255)
    return cv2.countNonZero(mask) / max(cv2.countNonZero(full), 1)


def structure(
    contrast: NDArray[np.float32], mask: NDArray[np.uint8], pixel_size_um: float, spread: float
) -> tuple[float, float]:
    """Granularity and texture of a cell whose contrast has the deviation ``spread``.

    Granularity is the deviation of the structure finer than about 1 µm, in units of contrast: of
    the picture less its Gaussian mean of σ = 0.5 µm, taken inside the mask only (normalised
    convolution, Knutsson & Westin 1993), so that the edge of the cell is no grain. Texture is the
    share of the variance that the mean itself has, 0–1: near 1 for a dark nucleus in pale
    cytoplasm, near 0 for pure grain; NaN for a flat picture.
    """
    if spread <= 1e-6:
        return 0.0, float("nan")
    sigma = max(0.5 / pixel_size_um, 0.4)
    weight = np.minimum(mask, 1).astype(np.float32)
    total, share = _smooth(contrast * weight, sigma), _smooth(weight, sigma)
    fine, coarse = grain_inside(contrast, total, share, mask)
    return fine, min((coarse / spread) ** 2, 1.0)


def _smooth(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    smooth: NDArray[Any] = cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    return smooth
