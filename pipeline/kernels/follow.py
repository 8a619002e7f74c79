"""A picture that follows another where it may."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled


@compiled
def followed(
    image: NDArray[np.float32],
    frame: NDArray[Any],
    factor: float,
    free: NDArray[np.uint8],
    rate: float,
) -> NDArray[np.float32]:
    """``image`` moved by a share of its difference from ``factor · frame``, where ``free``.

    Parameters
    ----------
    image
        (H, W) float32.
    frame
        (H, W) uint8 or uint16.
    factor
        What the frame is multiplied by.
    free
        (H, W) uint8, nonzero where the image may move.
    rate
        Share of the difference, 0–1.

    Returns
    -------
    (H, W) float32
        A new picture.
    """
    result = np.empty_like(image)
    own, new = np.float32(1 - rate), np.float32(rate * factor)
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            value = image[row, column]
            moved = own * value + new * np.float32(frame[row, column])
            result[row, column] = moved if free[row, column] else value
    return result
