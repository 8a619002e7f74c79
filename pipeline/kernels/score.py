"""How well each detection of a frame would stand for its cell."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled
from pipeline.kernels.crowd import gaps
from pipeline.kernels.sharp import sharpness_of


@compiled
def score_views(
    pixels: NDArray[Any],
    box: NDArray[np.int64],
    place: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    cut: NDArray[np.bool_],
    touching: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Score and sharpness of detections as views of their cells.

    A view is judged by completeness (not cut by the border), distance from neighbours and focus:
    it gains half a point for each factor e of its sharpness.

    Parameters
    ----------
    pixels
        (H, W) uint8 or uint16.
    box
        (n, 4): left, top, width, height.
    place
        x, y and area of each, pixels.
    cut, touching
        Whether the border cuts it, whether it was cut out of a blob.
    """
    x, y, area = place
    height, width = pixels.shape
    focus = sharpness_of(pixels, box)
    radius = np.sqrt(area / np.pi)
    apart = gaps(x, y, radius)
    scores = np.empty(len(x))
    for index in range(len(x)):
        least = max(radius[index], 1.0)
        shown = 4.0
        if cut[index]:
            depth = min(x[index], width - 1 - x[index], y[index], height - 1 - y[index])
            # A cell whose centre lies outside stands for nothing unless there is no other view.
            shown = -9.0 if depth < 0 else 3 * min(depth / least, 1.0)
        scores[index] = shown + min(max(apart[index] / least, 0.0), 1.0)
        scores[index] -= 1.5 * touching[index]
        scores[index] += 0.5 * np.log(max(focus[index], 1e-6))
    return scores, focus


@compiled
def usual_focus(
    focus: NDArray[np.float64], cut: NDArray[np.bool_], touching: NDArray[np.bool_]
) -> tuple[float, int]:
    """Median sharpness of what is whole and apart from others, NaN of none; and how many are."""
    whole = np.sort(focus[~(cut | touching)])
    number = len(whole)
    if number == 0:
        return np.nan, 0
    return (whole[(number - 1) // 2] + whole[number // 2]) / 2, number
