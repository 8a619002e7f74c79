"""The outer borders of everything in a mask."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.bits import NONE, ONE, PIXELS, lowest_bit, unpack_word
from pipeline.kernels.compiled import compiled

#: Bytes of a word, and pixels of room before and behind each row of a canvas.
WORD = 8
#: Marks of pixels on a border that was followed: with something to the right of it, or nothing.
_GOES_ON, _ENDS = 2, 3
_LAST = np.uint64(PIXELS - 1)
#: Steps to the eight neighbours, counter-clockwise from the right.
_DX = np.array([1, 1, 0, -1, -1, -1, 0, 1])
_DY = np.array([0, -1, -1, -1, 0, 1, 1, 1])


def canvas(mask: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Room for `find_borders`: a byte a pixel for the inner part of a mask, with a rim of none."""
    height, words = mask.shape
    return np.zeros((height, PIXELS // WORD * (words - 2) + 2), np.uint64)


@compiled
def find_borders(
    mask: NDArray[np.uint64], paper: NDArray[np.uint64], pixels: NDArray[np.uint8], shortest: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Follow the outer border of every connected thing that lies in no other (Suzuki & Abe 1985).

    Parameters
    ----------
    mask
        (H + 2, n + 2) uint64, a bit a pixel as in `pipeline.kernels.bits`.
    paper, pixels
        From `canvas`, zero before and after; and the same memory, a byte at a time.
    shortest
        Borders of fewer pixels are left out.

    Returns
    -------
    points : (M, 2) int32
        x and y of the borders' pixels, one border after the other, the lowest first.
    starts : (n + 1,) int64
        Where each begins, and the end.
    """
    points, ends = np.empty((4096, 2), np.int32), np.empty(256, np.int64)
    number = -1
    while number < 0:
        _draw(mask, paper)
        number = _follow_all(mask, paper, pixels, shortest, points, ends)
        if number < 0:
            # Twice as much room, and all over again.
            points, ends = (
                np.empty((2 * len(points), 2), np.int32),
                np.empty(2 * len(ends), np.int64),
            )
    _wipe(mask, paper)
    return _lowest_first(points, ends[:number])


@compiled
def _follow_all(
    mask: NDArray[np.uint64],
    paper: NDArray[np.uint64],
    pixels: NDArray[np.uint8],
    shortest: int,
    points: NDArray[np.int32],
    ends: NDArray[np.int64],
) -> int:
    """Write down all borders and where each ends; their number, or −1 where there is no room.

    No array takes the place of another in here: counting references in a loop costs more than it.
    """
    pitch = pixels.shape[1]
    flat, line = pixels.ravel(), paper.ravel()
    steps = np.array([1, 1 - pitch, -pitch, -1 - pitch, -1, pitch - 1, pitch, pitch + 1] * 2)
    number, total = 0, 0
    for row in range(1, mask.shape[0] - 1):
        words = mask[row]
        for word in range(1, len(words) - 1):
            if words[word] == NONE:
                continue
            begin = row * pitch + WORD + (word - 1) * PIXELS
            # Pixels with nothing to the left of them.
            edges = words[word] & ~(words[word] << ONE | words[word - 1] >> _LAST)
            while edges != NONE:
                first = begin + lowest_bit(edges)
                edges &= edges - ONE
                if flat[first] != 1 or _is_within(flat, line, first, pitch):
                    continue
                length = _follow(flat, first, pitch, steps, points[total:])
                if length < 0 or number == len(ends):
                    return -1
                if length >= shortest:
                    total += length
                    ends[number] = total
                    number += 1
    return number


@compiled
def _draw(mask: NDArray[np.uint64], paper: NDArray[np.uint64]) -> None:
    """Draw a mask, a byte a pixel."""
    for row in range(1, mask.shape[0] - 1):
        words, line = mask[row], paper[row]
        for word in range(1, len(words) - 1):
            if words[word] != NONE:
                begin = 1 + (word - 1) * (PIXELS // WORD)
                unpack_word(words[word], line[begin : begin + PIXELS // WORD])


@compiled
def _wipe(mask: NDArray[np.uint64], paper: NDArray[np.uint64]) -> None:
    """Leave nothing of what was drawn."""
    for row in range(1, mask.shape[0] - 1):
        words, line = mask[row], paper[row]
        for word in range(1, len(words) - 1):
            if words[word] != NONE:
                begin = 1 + (word - 1) * (PIXELS // WORD)
                for eight in range(begin, begin + PIXELS // WORD):
                    line[eight] = NONE


@compiled
def _is_within(flat: NDArray[np.uint8], line: NDArray[np.uint64], place: int, pitch: int) -> bool:
    """Whether a pixel lies inside a border that was followed: on the edge of a hole, or in it.

    The next pixel on a border to the left of it tells: things go on behind it or end.
    """
    begin = place - place % pitch
    here = place - 1
    while here > begin:
        if here % WORD == WORD - 1 and line[here // WORD] == NONE:
            here -= WORD
            continue
        if flat[here] > 1:
            return flat[here] == _GOES_ON
        here -= 1
    return False


@compiled
def _follow(
    flat: NDArray[np.uint8],
    first: int,
    pitch: int,
    steps: NDArray[np.int64],
    points: NDArray[np.int32],
) -> int:
    """Follow one border from its first pixel, mark it, write it down; its length, −1: no room."""
    turn = 4
    x, y = first % pitch - WORD, first // pitch - 1
    while True:
        turn = (turn - 1) & 7
        if flat[first + steps[turn]] != 0:
            break
        if turn == 4:
            # A single pixel.
            if not len(points):
                return -1
            flat[first] = _ENDS
            points[0, 0], points[0, 1] = x, y
            return 1
    last, here = first + steps[turn], first
    for number in range(len(points)):
        start = turn
        turn += 1
        there = here + steps[turn]
        while flat[there] == 0:
            turn += 1
            there = here + steps[turn]
        turn &= 7
        # Whether the search went past the pixel to the right.
        if 0 < turn <= start:
            flat[here] = _ENDS
        elif flat[here] == 1:
            flat[here] = _GOES_ON
        points[number, 0], points[number, 1] = x, y
        if there == first and here == last:
            return number + 1
        here = there
        x += _DX[turn]
        y += _DY[turn]
        turn = (turn + 4) & 7
    return -1


@compiled
def _lowest_first(
    points: NDArray[np.int32], ends: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Borders in the other order."""
    number = len(ends)
    total = ends[number - 1] if number else 0
    result, starts = np.empty((total, 2), np.int32), np.zeros(number + 1, np.int64)
    for index in range(number):
        source = number - 1 - index
        begin = ends[source - 1] if source else 0
        length = ends[source] - begin
        starts[index + 1] = starts[index] + length
        result[starts[index] : starts[index + 1]] = points[begin : ends[source]]
    return result, starts
