"""Which outlines hold enough to be a cell."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled
from pipeline.kernels.ground import blur_row
from pipeline.kernels.level import highest_but
from pipeline.kernels.outlines import AREA, HEIGHT, LEFT, TOP, WIDTH


class Limits(NamedTuple):
    """What a thing must reach to be taken for a cell; lengths in pixels of the shrunk frame.

    Parameters
    ----------
    clearly_large
        Area above which only contrast is asked for.
    contrast
        Least extreme contrast, grey values.
    core
        Share of its contrast at which a small thing ends.
    area
        Least area there.
    mass
        Least contrast in all, NaN where none is known.
    smallest_piece
        Diameter of the smallest piece of a thing that is a cell of its own.
    bubble_area, bubble_solidity
        What exceeds both is a bubble.
    """

    clearly_large: float
    contrast: float
    core: float
    area: float
    mass: float
    smallest_piece: float
    bubble_area: float
    bubble_solidity: float


@compiled
def are_things(
    frame: NDArray[Any],
    ground: tuple[NDArray[np.float32], float],
    outlines: NDArray[np.float64],
    limits: Limits,
    signs: tuple[bool, bool],
    sums: NDArray[Any],
) -> NDArray[np.bool_]:
    """Whether each outline holds enough contrast, and is as large as a cell at a share of it.

    The threshold lies on the foot of a small soft blob, which makes it look much larger than it
    is. So a small thing is measured where it falls to a share of its own contrast; and by the light
    it blocks in all, which no blur changes: below the resolution only that tells size.

    Parameters
    ----------
    frame
        (h, w) uint8 or uint16, shrunk; what is looked at of it is blurred as in detection.
    ground
        (h, w) float32, background, and the brightness of the frame over it.
    outlines
        (n, 8) from `pipeline.kernels.outlines.measure_outlines`.
    limits
        See `Limits`.
    signs
        Whether what is darker counts, whether what is brighter does.
    sums
        Room for a row, see `pipeline.kernels.ground.Bench`.
    """
    bare, gain = ground
    result = np.zeros(len(outlines), np.bool_)
    for index in range(len(outlines)):
        row = outlines[index]
        if row[AREA] < limits.area:
            continue
        top, left = int(row[TOP]), int(row[LEFT])
        bottom, right = top + int(row[HEIGHT]), left + int(row[WIDTH])
        if row[AREA] > limits.clearly_large:
            middle = bare[top + int(row[HEIGHT]) // 2, left + int(row[WIDTH]) // 2] * gain
            box = (left, top, right, bottom)
            result[index] = _reaches(frame, box, middle, signs, limits.contrast, sums)
            continue
        part = np.empty((bottom - top, right - left), frame.dtype)
        for line in range(bottom - top):
            blur_row(frame, top + line, left, right, sums, part[line])
        contrast = _contrast(part, bare[top:bottom, left:right], gain, signs)
        if contrast.max() >= limits.contrast:
            hidden = _hidden_factor(row, frame.shape)
            result[index] = _is_large_enough(contrast, row[AREA], hidden, limits)
    return result


@compiled
def _reaches(
    frame: NDArray[Any],
    box: tuple[int, int, int, int],
    bare: float,
    signs: tuple[bool, bool],
    contrast: float,
    sums: NDArray[Any],
) -> bool:
    """Whether any pixel is so far off what is bare; looked for from the middle row on."""
    low = bare - contrast if signs[0] else -np.inf
    high = bare + contrast if signs[1] else np.inf
    left, top, right, bottom = box
    line = np.empty(right - left, frame.dtype)
    height = bottom - top
    for turn in range(height):
        row = (turn + height // 2) % height
        blur_row(frame, top + row, left, right, sums, line)
        for column in range(len(line)):
            if not low < line[column] < high:
                return True
    return False


@compiled
def _contrast(
    part: NDArray[Any], bare: NDArray[np.float32], gain: float, signs: tuple[bool, bool]
) -> NDArray[np.float32]:
    """Distance from what is bare, in the direction that counts, of every pixel in turn."""
    height, width = part.shape
    result, factor = np.empty(height * width, np.float32), np.float32(gain)
    for row in range(height):
        line = result[row * width : (row + 1) * width]
        for column in range(width):
            line[column] = np.float32(part[row, column]) - factor * bare[row, column]
    if signs[0] and signs[1]:
        return np.abs(result)
    return -result if signs[0] else result


@compiled
def _is_large_enough(
    contrast: NDArray[np.float32],
    area: float,
    hidden: float,
    limits: Limits,
) -> bool:
    order = min(int(0.1 * area), contrast.size - 1)
    typical = highest_but(contrast, order)
    inside, mass = 0, 0.0
    for place in range(contrast.size):
        inside += contrast[place] > limits.core * typical
        mass += max(contrast[place], 0.0)
    if hidden * inside < limits.area:
        return False
    return not hidden * mass < limits.mass


@compiled
def _hidden_factor(row: NDArray[np.float64], shape: tuple[int, int]) -> float:
    """Whole over visible area of a disc that the border cuts, by its depth and extent; 1 to 2."""
    if row[LEFT] == 0 or row[LEFT] + row[WIDTH] >= shape[1]:
        return min(max(row[HEIGHT] / row[WIDTH], 1.0), 2.0)
    if row[TOP] == 0 or row[TOP] + row[HEIGHT] >= shape[0]:
        return min(max(row[WIDTH] / row[HEIGHT], 1.0), 2.0)
    return 1.0
