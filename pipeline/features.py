"""What is measured of a cell, with units.

Geometry comes from the mask with its holes filled, contrast from the pixels inside it. Every
formula stands at its function; the source where it is not elementary. Nothing here depends on how
the cell is turned, and lengths are in µm, so nothing depends on the magnification either, up to
what sampling does to a picture.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

#: Names in the order of the columns.
FEATURES = (
    "area_um2",
    "diameter_um",
    "eccentricity",
    "solidity",
    "contrast_mean",
    "contrast_sd",
    "granularity",
    "texture",
    "focus",
)


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
    area = float(cv2.countNonZero(mask))
    if area == 0:
        return dict.fromkeys(FEATURES[:-1], float("nan"))
    mean, spread = _mean_and_spread(contrast, mask)
    fine, coarse = structure(contrast, mask, pixel_size_um)
    return {
        "area_um2": area * pixel_size_um**2,
        "diameter_um": equivalent_diameter(area) * pixel_size_um,
        "eccentricity": eccentricity(mask),
        "solidity": solidity(mask),
        "contrast_mean": mean,
        "contrast_sd": spread,
        "granularity": fine,
        "texture": coarse,
    }


def equivalent_diameter(area: float) -> float:
    """Diameter of the disc of the same area: sqrt(4 A / π), in the unit of the area's side."""
    return float(np.sqrt(4 * area / np.pi))


def eccentricity(mask: NDArray[np.uint8]) -> float:
    """Eccentricity of the ellipse with the mask's second moments: sqrt(1 − λ₂/λ₁), 0–1.

    λ are the eigenvalues of the central second moments (Hu 1962), each with the 1/12 that a square
    pixel adds, so that a line of pixels is no degenerate case.
    """
    moments = cv2.moments(mask, binaryImage=True)
    if moments["m00"] <= 0:
        return float("nan")
    xx = moments["mu20"] / moments["m00"] + 1 / 12
    yy = moments["mu02"] / moments["m00"] + 1 / 12
    xy = moments["mu11"] / moments["m00"]
    middle, half = (xx + yy) / 2, float(np.hypot((xx - yy) / 2, xy))
    return float(np.sqrt(max(0.0, 1 - (middle - half) / (middle + half))))


def solidity(mask: NDArray[np.uint8]) -> float:
    """Area over the area of the convex hull, both in filled pixels, 0–1."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    hull = cv2.convexHull(np.concatenate(outlines))
    full = np.zeros_like(mask)
    cv2.fillConvexPoly(full, hull, 255)
    return cv2.countNonZero(mask) / max(cv2.countNonZero(full), 1)


def structure(
    contrast: NDArray[np.float32], mask: NDArray[np.uint8], pixel_size_um: float
) -> tuple[float, float]:
    """Granularity and texture of a cell.

    Granularity is the deviation of the structure finer than about 1 µm, in units of contrast: of
    the picture less its Gaussian mean of σ = 0.5 µm, taken inside the mask only (normalised
    convolution, Knutsson & Westin 1993), so that the edge of the cell is no grain. Texture is the
    share of the variance that the mean itself has, 0–1: near 1 for a dark nucleus in pale
    cytoplasm, near 0 for pure grain; NaN for a flat picture.
    """
    coarse = _inner_mean(contrast, mask, 0.5 / pixel_size_um)
    total = _mean_and_spread(contrast, mask)[1]
    if total <= 1e-6:
        return 0.0, float("nan")
    grain = _mean_and_spread(contrast - coarse, mask)[1]
    return grain, min((_mean_and_spread(coarse, mask)[1] / total) ** 2, 1.0)


def _mean_and_spread(values: NDArray[np.float32], mask: NDArray[np.uint8]) -> tuple[float, float]:
    mean, spread = cv2.meanStdDev(values, mask=mask)
    return float(mean[0, 0]), float(spread[0, 0])


def _inner_mean(
    contrast: NDArray[np.float32], mask: NDArray[np.uint8], sigma_px: float
) -> NDArray[np.float32]:
    weight = np.minimum(mask, 1).astype(np.float32)
    sigma = max(sigma_px, 0.4)
    both = cv2.merge([cv2.copyTo(contrast, mask), weight])
    both = cv2.GaussianBlur(both, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    total, share = cv2.split(both)
    return (total / np.maximum(share, 1e-6)).astype(np.float32)
