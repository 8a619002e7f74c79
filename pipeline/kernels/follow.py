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
    # One long loop over all rows, and a few short ones that undo it.
    moved, before, now = result.ravel(), image.ravel(), frame.ravel()
    for place in range(len(moved)):
        moved[place] = own * before[place] + new * np.float32(now[place])
    for index in range(len(boxes)):
        left, top, width, height = boxes[index]
        room = 3 + max(width, height) // 8
        for row in range(max(top - room, 0), min(top + height + room, image.shape[0])):
            for column in range(max(left - room, 0), min(left + width + room, image.shape[1])):
                result[row, column] = image[row, column]
    return result
