"""A picture of another size, sampled from a part of another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled

#: Sharpness of cubic sampling, as OpenCV has it (Keys 1981, with a = −0.75).
_CUBIC = -0.75
#: Below this many pixels a sample, lines between pixels would show.
_FINE = 0.7


@compiled
def sample(
    values: NDArray[np.float32],
    centre: tuple[float, float],
    step: float,
    side: int,
    scale: tuple[float, float],
) -> NDArray[np.uint8]:
    """Square picture around a point, as grey values.

    Parameters
    ----------
    values
        (h, w) float32; 0 beyond its border.
    centre
        x and y of the point that is to be in the middle.
    step
        Pixels of ``values`` from sample to sample; between pixels it is linear, and cubic where
        samples lie closer than 0.7 of one.
    side
        Of the picture.
    scale
        What is added to the values times the second, rounded and brought to 1–255.

    Returns
    -------
    (side, side) uint8
    """
    height = len(values)
    shift = step * (side - 1) / 2
    columns, by_column = _taps(centre[0] - shift, step, side)
    rows, by_row = _taps(centre[1] - shift, step, side)
    reach = by_row.shape[1]
    along = _sampled_along(values, columns, by_column, side)
    result = np.full((side, side), _grey(0.0, scale), np.uint8)
    total = np.empty(side, np.float32)
    for row in range(side):
        top = rows[row] + reach
        if not 0 <= top <= height + reach:
            continue
        total[:] = 0
        for down in range(reach):
            weight, line = by_row[row, down], along[top + down]
            for column in range(side):
                total[column] += weight * line[column]
        shown = result[row]
        for column in range(side):
            shown[column] = _grey(total[column], scale)
    return result


@compiled
def _sampled_along(
    values: NDArray[np.float32],
    columns: NDArray[np.int64],
    weights: NDArray[np.float32],
    side: int,
) -> NDArray[np.float32]:
    """Every row sampled at some columns, with as many rows of nothing around as weights reach."""
    height, width = values.shape
    reach = weights.shape[1]
    along = np.zeros((height + 2 * reach, side), np.float32)
    # A rim of nothing, so that no sample needs a look at where it is.
    wide = np.zeros(width + 2 * reach, np.float32)
    for row in range(height):
        wide[reach : reach + width] = values[row]
        line = along[reach + row]
        for column in range(side):
            left = columns[column] + reach
            if 0 <= left <= width + reach:
                total = np.float32(0.0)
                for right in range(reach):
                    total += weights[column, right] * wide[left + right]
                line[column] = total
    return along


@compiled
def _grey(value: Any, scale: tuple[float, float]) -> np.uint8:
    return np.uint8(min(max(np.rint(scale[0] + scale[1] * value), 1.0), 255.0))


@compiled
def _taps(start: float, step: float, side: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """First pixel that each sample is made of, and the weights from there on."""
    cubic = step <= _FINE
    first = np.empty(side, np.int64)
    weights = np.empty((side, 4 if cubic else 2), np.float32)
    for place in range(side):
        at = start + step * place
        below = int(np.floor(at))
        part = at - below
        if cubic:
            first[place] = below - 1
            weights[place, 0] = _cubic(1 + part)
            weights[place, 1] = _cubic(part)
            weights[place, 2] = _cubic(1 - part)
            weights[place, 3] = _cubic(2 - part)
        else:
            first[place] = below
            weights[place, 0], weights[place, 1] = 1 - part, part
    return first, weights


@compiled
def _cubic(away: float) -> float:
    if away <= 1:
        return ((_CUBIC + 2) * away - (_CUBIC + 3)) * away * away + 1
    return ((_CUBIC * away - 5 * _CUBIC) * away + 8 * _CUBIC) * away - 4 * _CUBIC
