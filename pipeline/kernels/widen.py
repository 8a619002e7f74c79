"""A mask and a rim around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled


@compiled
def widen(mask: NDArray[np.uint8], radius: int) -> NDArray[np.uint8]:
    """Nonzero where a pixel lies in a mask or within a disc of some pixels of it.

    Parameters
    ----------
    mask
        (h, w) uint8, nonzero inside.
    radius
        Pixels; the disc is that of OpenCV's elliptic structuring element.
    """
    height, width = mask.shape
    pitch = width + 2 * radius
    # With a rim, rows need not be told apart: one long loop for each pixel of the disc.
    wide = np.zeros((height + 2 * radius, pitch), np.uint8)
    wide[radius : radius + height, radius : radius + width] = mask
    flat, result = wide.ravel(), np.zeros((height, pitch), np.uint8)
    total = result.ravel()[: height * pitch - 2 * radius]
    for down in range(-radius, radius + 1):
        reach = int(np.rint(np.sqrt(float(radius * radius - down * down))))
        for right in range(-reach, reach + 1):
            part = flat[(radius + down) * pitch + radius + right :]
            for place in range(len(total)):
                total[place] |= part[place]
    return result[:, :width].copy()
