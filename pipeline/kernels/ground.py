"""Which pixels of a frame are off the background, in one pass over its rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled

#: Bytes of a word: rows of masks are whole words, with one of room before and behind.
WORD = 8


class Bench(NamedTuple):
    """Room that `mark_off` works in, used again for every frame: pages need not be made anew.

    Parameters
    ----------
    sums, off, wide
        For a few rows. Compiled loops are fast where every step fits into its kind: sums are uint16
        for frames of uint8 and uint32 for those of uint16.
    small
        (H, W), kind of the frame: gets the mean of 3 × 3 pixels weighted 1, 2, 1 each way, the
        frame mirrored at its outermost pixels.
    mask
        (H + 2, whole words) uint8, a row more above and below and a word more on either side: its
        inner part gets 1 for what is off after a closing with a cross of 3 × 3 pixels, else 0.
    """

    sums: NDArray[Any]
    off: NDArray[np.uint8]
    wide: NDArray[np.uint8]
    small: NDArray[Any]
    mask: NDArray[np.uint8]


def bench(shape: tuple[int, ...], kind: Any) -> Bench:
    """Room to work in, for frames of a shape and kind."""
    height, width = shape
    return Bench(
        sums=np.zeros((2, width + 2), np.uint16 if kind == np.uint8 else np.uint32),
        off=np.zeros((3, width + 2), np.uint8),
        wide=np.zeros((3, width + 2), np.uint8),
        small=np.zeros(shape, kind),
        mask=np.zeros((height + 2, (width // WORD + 3) * WORD), np.uint8),
    )


@compiled
def mark_off(
    frame: NDArray[Any],
    low: NDArray[Any],
    high: NDArray[Any],
    signs: tuple[bool, bool],
    room: Bench,
) -> None:
    """Blur a frame lightly, compare it with two bounds, and close gaps of one pixel.

    Parameters
    ----------
    frame
        (H, W) uint8 or uint16.
    low, high
        (H, W) of the same kind: least and greatest value of what is bare.
    signs
        Whether what is below counts, whether what is above does.
    room
        Its ``small`` and ``mask`` are the result.
    """
    height, width = frame.shape
    off, wide = room.off, room.wide
    for row in range(height + 2):
        here = off[row % 3]
        if row < height:
            above, below = row - 1 if row else 1, row + 1 if row < height - 1 else height - 2
            if height == 1:
                above = below = 0
            _blur_row(frame[above], frame[row], frame[below], room.sums, room.small[row])
            _compare_row(room.small[row], low[row], high[row], signs, here[1:-1])
        else:
            here[:] = 0
        if row == 0:
            off[2, :] = 0
        elif row <= height:
            _widen_row(off[(row - 2) % 3], off[(row - 1) % 3], here, wide[(row - 1) % 3])
        if row > 1:
            # Beyond the border nothing takes away.
            above = (row - 3) % 3 if row > 2 else (row - 2) % 3
            below = (row - 1) % 3 if row <= height else (row - 2) % 3
            inner = room.mask[row - 1, WORD : WORD + width]
            _narrow_row(wide[above], wide[(row - 2) % 3], wide[below], inner)


@compiled
def _blur_row(
    above: NDArray[Any],
    middle: NDArray[Any],
    below: NDArray[Any],
    sums: NDArray[Any],
    result: NDArray[Any],
) -> None:
    width = len(middle)
    down, across = sums[0, 1 : width + 1], sums[1]
    for column in range(width):
        down[column] = above[column] + 2 * middle[column] + below[column]
    sums[0, 0] = down[1 if width > 1 else 0]
    sums[0, width + 1] = down[width - 2 if width > 1 else 0]
    before, after = sums[0, :width], sums[0, 2 : width + 2]
    for column in range(width):
        across[column] = before[column] + 2 * down[column] + after[column] + 8
    for column in range(width):
        result[column] = across[column] >> 4


@compiled
def _compare_row(
    values: NDArray[Any],
    low: NDArray[Any],
    high: NDArray[Any],
    signs: tuple[bool, bool],
    result: NDArray[np.uint8],
) -> None:
    if signs[0] and signs[1]:
        for column in range(len(values)):
            result[column] = (values[column] < low[column]) | (values[column] > high[column])
    elif signs[0]:
        for column in range(len(values)):
            result[column] = values[column] < low[column]
    else:
        for column in range(len(values)):
            result[column] = values[column] > high[column]


@compiled
def _widen_row(
    above: NDArray[np.uint8],
    middle: NDArray[np.uint8],
    below: NDArray[np.uint8],
    result: NDArray[np.uint8],
) -> None:
    width = len(middle) - 2
    left, own, right = middle[:width], middle[1 : width + 1], middle[2:]
    over, under, inner = above[1 : width + 1], below[1 : width + 1], result[1 : width + 1]
    for column in range(width):
        inner[column] = left[column] | own[column] | right[column] | over[column] | under[column]
    # What lies beyond takes nothing away.
    result[0], result[width + 1] = result[1], result[width]


@compiled
def _narrow_row(
    above: NDArray[np.uint8],
    middle: NDArray[np.uint8],
    below: NDArray[np.uint8],
    result: NDArray[np.uint8],
) -> None:
    width = len(middle) - 2
    left, own, right = middle[:width], middle[1 : width + 1], middle[2:]
    over, under = above[1 : width + 1], below[1 : width + 1]
    for column in range(width):
        result[column] = left[column] & own[column] & right[column] & over[column] & under[column]
