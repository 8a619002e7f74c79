"""The outer borders of everything in a mask."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled
from pipeline.kernels.ground import WORD

#: Words of pixels inside something, and of none.
_INSIDE, _NOTHING = np.uint64(0x0101010101010101), np.uint64(0)
#: Marks of pixels on a border that was followed: with something to the right of it, or nothing.
_GOES_ON, _ENDS = 2, 3


@compiled
def find_borders(
    mask: NDArray[np.uint8], words: NDArray[np.uint64], shortest: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Follow the outer border of every connected thing that lies in no other (Suzuki & Abe 1985).

    Parameters
    ----------
    mask
        From `pipeline.kernels.ground.empty_mask`, 0 and 1; borders get marked in it.
    words
        The same memory, a word at a time.
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
    pitch = mask.shape[1]
    flat = mask.ravel()
    steps = np.array([1, 1 - pitch, -pitch, -1 - pitch, -1, pitch - 1, pitch, pitch + 1] * 2)
    number, total = 0, 0
    for row in range(1, mask.shape[0] - 1):
        place, within = row * pitch, False
        while True:
            place, within = _next_start(flat, words[row], place, row * pitch, within)
            if place < 0:
                break
            length, points = _follow(flat, place, pitch, steps, points, total)
            if length >= shortest:
                if number == len(ends):
                    ends = _longer(ends)
                total += length
                ends[number] = total
                number += 1
    return _lowest_first(points, ends[:number])


@compiled
def _next_start(
    flat: NDArray[np.uint8], line: NDArray[np.uint64], place: int, begin: int, within: bool
) -> tuple[int, bool]:
    """First pixel of the next border in a row from a place on, and whether that is in a thing.

    −1 if there is none. A pixel begins a border if it was not followed yet, nothing is to the left
    of it, and the last border to the left of it is behind: otherwise it is the edge of a hole.
    """
    before = flat[place - 1] if place > begin else np.uint8(0)
    word, number = (place - begin) // WORD, len(line)
    while word < number:
        if line[word] == _NOTHING:
            before = np.uint8(0)
            word += 1
            place = begin + word * WORD
            continue
        if before != 0 and line[word] == _INSIDE:
            word += 1
            place = begin + word * WORD
            continue
        word += 1
        stop = begin + word * WORD
        while place < stop:
            value = flat[place]
            if value == 1 and before == 0 and not within:
                return place, within
            if value > 1:
                within = value == _GOES_ON
            before = value
            place += 1
    return -1, within


@compiled
def _follow(
    flat: NDArray[np.uint8],
    first: int,
    pitch: int,
    steps: NDArray[np.int64],
    points: NDArray[np.int32],
    begin: int,
) -> tuple[int, NDArray[np.int32]]:
    """Follow one border from its first pixel, mark it, and write it down behind others."""
    turn = 4
    while True:
        turn = (turn - 1) & 7
        if flat[first + steps[turn]] != 0:
            break
        if turn == 4:
            # A single pixel.
            flat[first] = _ENDS
            points = _with_room(points, begin)
            points[begin, 0], points[begin, 1] = first % pitch - WORD, first // pitch - 1
            return 1, points
    last, here, number = first + steps[turn], first, begin
    x, y = first % pitch - WORD, first // pitch - 1
    while True:
        start = turn
        turn += 1
        while flat[here + steps[turn]] == 0:
            turn += 1
        there = here + steps[turn]
        turn &= 7
        # Whether the search went past the pixel to the right.
        if 0 < turn <= start:
            flat[here] = _ENDS
        elif flat[here] == 1:
            flat[here] = _GOES_ON
        points = _with_room(points, number)
        points[number, 0], points[number, 1] = x, y
        number += 1
        if there == first and here == last:
            return number - begin, points
        here = there
        x += 1 if turn in (0, 1, 7) else -1 if turn in (3, 4, 5) else 0
        y += 1 if turn in (5, 6, 7) else -1 if turn in (1, 2, 3) else 0
        turn = (turn + 4) & 7


@compiled
def _with_room(points: NDArray[np.int32], number: int) -> NDArray[np.int32]:
    if number < len(points):
        return points
    longer = np.empty((2 * len(points), 2), np.int32)
    longer[: len(points)] = points
    return longer


@compiled
def _longer(ends: NDArray[np.int64]) -> NDArray[np.int64]:
    longer = np.empty(2 * len(ends), np.int64)
    longer[: len(ends)] = ends
    return longer


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
