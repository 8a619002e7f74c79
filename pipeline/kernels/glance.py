"""A glance at a sample of a frame's pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled_for_moments

#: Odd numbers without a pattern: a frame's mark is a sum of products with them, modulo 2⁶⁴.
_ROW, _COLUMN = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1342543DE82EF95)


@compiled_for_moments
def glance(
    pixels: NDArray[Any], stride: int, ceilings: NDArray[np.int64]
) -> tuple[int, NDArray[np.int64], int, np.uint64]:
    """Look at every ``stride``-th pixel each way.

    Parameters
    ----------
    pixels
        (H, W) uint8 or uint16.
    ceilings
        (c,) grey values.

    Returns
    -------
    brightest : int
    above : (c,) int64
        How many reach each ceiling.
    size : int
        How many were looked at.
    mark : uint64
        Other samples have another, but for one in billions.
    """
    rows = (pixels.shape[0] + stride - 1) // stride
    columns = (pixels.shape[1] + stride - 1) // stride
    line, weights = np.empty(columns, np.uint64), np.empty(columns, np.uint64)
    weight = _COLUMN
    for column in range(columns):
        weights[column] = weight
        weight *= _COLUMN
    above, brightest, mark = np.zeros(len(ceilings), np.int64), np.uint64(0), np.uint64(0)
    for row in range(rows):
        source, total = pixels[row * stride], np.uint64(0)
        for column in range(columns):
            line[column] = source[column * stride]
        for column in range(columns):
            brightest = max(brightest, line[column])
            total += line[column] * weights[column]
        mark = (mark + total) * _ROW
        for place in range(len(ceilings)):
            ceiling, number = np.uint64(ceilings[place]), 0
            # Hardly any row reaches it.
            if brightest >= ceiling:
                for column in range(columns):
                    number += line[column] >= ceiling
            above[place] += number
    return int(brightest), above, rows * columns, mark
