"""Which pixels of a frame are off the background, in one pass over its rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.bits import PIXELS, close_gaps, empty_mask, pack_row
from pipeline.kernels.compiled import compiled


class Bench(NamedTuple):
    """Room that `mark_off` works in, used again for every frame: pages need not be made anew.

    Parameters
    ----------
    sums, line
        For one row. Compiled loops are fast where every step fits into its kind: sums are uint16
        for frames of uint8 and uint32 for those of uint16.
    off, eights
        For one row as bytes of 0 and 1, and the same memory, eight pixels at a time.
    bits, wide
        Masks of the frame from `pipeline.kernels.bits.empty_mask`.
    closed
        Another: gets a bit for what is off after a closing with a cross of 3 × 3 pixels.
    """

    sums: NDArray[Any]
    line: NDArray[Any]
    off: NDArray[np.uint8]
    eights: NDArray[np.uint64]
    bits: NDArray[np.uint64]
    wide: NDArray[np.uint64]
    closed: NDArray[np.uint64]


def bench(shape: tuple[int, ...], kind: Any) -> Bench:
    """Room to work in, for frames of a shape and kind."""
    width = shape[1]
    bits, wide, closed = empty_mask(shape), empty_mask(shape), empty_mask(shape)
    off = np.zeros((bits.shape[1] - 2) * PIXELS, np.uint8)
    return Bench(
        sums=np.zeros(width + 2, np.uint16 if kind == np.uint8 else np.uint32),
        line=np.zeros(width, kind),
        off=off,
        eights=off.view(np.uint64),
        bits=bits,
        wide=wide,
        closed=closed,
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
        Its ``closed`` is the result.
    """
    # Asked once and not for every row, so that each loop is compiled for what it does.
    if signs[0] and signs[1]:
        _mark_outside(frame, low, high, room)
    elif signs[0]:
        _mark_below(frame, low, room)
    else:
        _mark_above(frame, high, room)
    close_gaps(room.bits, frame.shape[1], room.wide, room.closed)


@compiled
def blur_row(
    frame: NDArray[Any],
    row: int,
    left: int,
    right: int,
    sums: NDArray[Any],
    result: NDArray[Any],
) -> None:
    """Mean of 3 × 3 pixels weighted 1, 2, 1 each way, in a part of a row of a frame.

    Parameters
    ----------
    frame
        (H, W), mirrored at its outermost pixels.
    row, left, right
        The part, its end excluded.
    sums
        At least two longer than the part, see `Bench`.
    result
        As long as the part, kind of the frame.
    """
    height, width = frame.shape
    above = row - 1 if row else min(1, height - 1)
    below = row + 1 if row < height - 1 else max(row - 1, 0)
    first, last = max(left - 1, 0), min(right + 1, width)
    over, middle, under = frame[above, first:last], frame[row, first:last], frame[below, first:last]
    # Sum of the column before the part, of its own columns, and of the one behind it.
    down = sums[first - left + 1 : last - left + 1]
    for column in range(len(down)):
        down[column] = over[column] + 2 * middle[column] + under[column]
    if left == 0:
        sums[0] = sums[2 if width > 1 else 1]
    if right == width:
        sums[width - left + 1] = sums[width - left - 1 if width > 1 else 1]
    before, own, after = sums[: right - left], sums[1:], sums[2:]
    for column in range(right - left):
        result[column] = (before[column] + 2 * own[column] + after[column] + 8) >> 4


@compiled
def _mark_outside(frame: NDArray[Any], low: NDArray[Any], high: NDArray[Any], room: Bench) -> None:
    values, off = room.line, room.off
    for row in range(frame.shape[0]):
        blur_row(frame, row, 0, frame.shape[1], room.sums, values)
        least, most = low[row], high[row]
        for column in range(len(values)):
            off[column] = (values[column] < least[column]) | (values[column] > most[column])
        pack_row(room.eights, room.bits[row + 1, 1:-1])


@compiled
def _mark_below(frame: NDArray[Any], low: NDArray[Any], room: Bench) -> None:
    values, off = room.line, room.off
    for row in range(frame.shape[0]):
        blur_row(frame, row, 0, frame.shape[1], room.sums, values)
        least = low[row]
        for column in range(len(values)):
            off[column] = values[column] < least[column]
        pack_row(room.eights, room.bits[row + 1, 1:-1])


@compiled
def _mark_above(frame: NDArray[Any], high: NDArray[Any], room: Bench) -> None:
    values, off = room.line, room.off
    for row in range(frame.shape[0]):
        blur_row(frame, row, 0, frame.shape[1], room.sums, values)
        most = high[row]
        for column in range(len(values)):
            off[column] = values[column] > most[column]
        pack_row(room.eights, room.bits[row + 1, 1:-1])
