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
    boxes: NDArray[np.int64],
    rate: float,
) -> NDArray[np.float32]:
    """``image`` moved by a share of its difference from ``factor · frame`` where no thing is.

    Parameters
    ----------
    image
        (H, W) float32.
    frame
        (H, W) uint8 or uint16.
    factor
        What the frame is multiplied by.
    boxes
        (n, 4) left, top, width, height of things: in and around them nothing moves.
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
        moved, before, now = result[row], image[row], frame[row]
        for column in range(len(moved)):
            moved[column] = own * before[column] + new * np.float32(now[column])
    for left, top, width, height in boxes:
        room = 3 + max(width, height) // 8
        across = slice(max(left - room, 0), max(left + width + room, 0))
        for row in range(max(top - room, 0), min(top + height + room, len(image))):
            result[row, across] = image[row, across]
    return result
