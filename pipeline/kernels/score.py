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
def keep_best(
    score: NDArray[np.float64],
    frame: NDArray[np.int64],
    index: NDArray[np.int64],
    number: int,
    new: tuple[float, int, int],
    better: float,
) -> int:
    """Put a view among the best of a track, if it is; how many there are then.

    Parameters
    ----------
    score, frame, index
        (V,) of the best views, best first; the first ``number`` count.
    new
        The same of the view.
    better
        By how much it must exceed the worst, once there are V.
    """
    if number == len(score):
        if new[0] <= score[number - 1] + better:
            return number
        number -= 1
    place = number
    while place > 0 and score[place - 1] < new[0]:
        score[place], frame[place] = score[place - 1], frame[place - 1]
        index[place] = index[place - 1]
        place -= 1
    score[place], frame[place], index[place] = new
    return number + 1
