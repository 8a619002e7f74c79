"""The outer border of the largest connected part of a region."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled

#: Steps to the eight neighbours, counter-clockwise from the right.
_DX = np.array([1, 1, 0, -1, -1, -1, 0, 1])
_DY = np.array([0, -1, -1, -1, 0, 1, 1, 1])


@compiled
def border_of_largest(regions: NDArray[np.uint8], name: int) -> NDArray[np.int32]:
    """The outer border of the largest connected part of a region; empty if there is none.

    Parameters
    ----------
    regions
        (h, w) uint8, the region each pixel belongs to; the outermost pixels belong to none.
    name
        Of the region.

    Returns
    -------
    (m, 2) int32
        x and y of its pixels in turn.
    """
    height, width = regions.shape
    size, first_row, first_column = 0, -1, -1
    for row in range(height):
        for column in range(width):
            if regions[row, column] == name:
                if size == 0:
                    first_row, first_column = row, column
                size += 1
    if size == 0:
        return np.empty((0, 2), np.int32)
    border = trace_border(regions, name, first_row, first_column)
    # Mostly there is one part; one that takes up half of all need not be compared with others.
    if 2 * area_within(border) > size:
        return border
    row, column = largest_part(regions, name)
    return trace_border(regions, name, row, column)


@compiled
def area_within(border: NDArray[np.int32]) -> float:
    """Pixels on and inside a closed border of pixels next to each other (Pick's theorem)."""
    number, twice = len(border), 0
    for place in range(number):
        one, two = border[place - 1 if place else number - 1], border[place]
        twice += int(one[0]) * int(two[1]) - int(two[0]) * int(one[1])
    return abs(twice) / 2 + number / 2 + 1


@compiled
def largest_part(regions: NDArray[np.uint8], name: int) -> tuple[int, int]:
    """Row and column of the first pixel of the largest connected part of a region; −1 if none.

    Parameters
    ----------
    regions
        (h, w) uint8, the region each pixel belongs to; the outermost pixels belong to none.
    name
        Of the region.
    """
    height, width = regions.shape
    known = np.zeros((height, width), np.bool_)
    waiting = np.empty(height * width, np.int32)
    most, at_row, at_column = 0, -1, -1
    for row in range(1, height - 1):
        for column in range(1, width - 1):
            if regions[row, column] != name or known[row, column]:
                continue
            known[row, column] = True
            waiting[0] = row * width + column
            number, size = 1, 0
            while number > 0:
                number -= 1
                size += 1
                from_row, from_column = waiting[number] // width, waiting[number] % width
                for side in range(8):
                    r, c = from_row + _DY[side], from_column + _DX[side]
                    if regions[r, c] == name and not known[r, c]:
                        known[r, c] = True
                        waiting[number] = r * width + c
                        number += 1
            if size > most:
                most, at_row, at_column = size, row, column
    return at_row, at_column


@compiled
def trace_border(regions: NDArray[np.uint8], name: int, row: int, column: int) -> NDArray[np.int32]:
    """Follow the outer border of a part of a region (Suzuki & Abe 1985).

    Parameters
    ----------
    regions
        (h, w) uint8; the outermost pixels do not belong to the region.
    name
        Of the region.
    row, column
        The first pixel of the part, row by row.

    Returns
    -------
    (m, 2) int32
        x and y of every pixel of the border in turn, from that one.
    """
    points, number = np.empty((256, 2), np.int32), -1
    while number < 0:
        number = _trace(regions, name, row, column, points)
        if number < 0:
            # Twice as much room, and once more around.
            points = np.empty((2 * len(points), 2), np.int32)
    return points[:number]


@compiled
def _trace(
    regions: NDArray[np.uint8], name: int, row: int, column: int, points: NDArray[np.int32]
) -> int:
    """Write down a border; its length, or −1 where there is too little room."""
    points[0, 0], points[0, 1] = column, row
    # The neighbour from which the border is entered: the last of all, seen clockwise.
    turn = 4
    while True:
        turn = (turn - 1) & 7
        if regions[row + _DY[turn], column + _DX[turn]] == name:
            break
        if turn == 4:
            return 1
    last_x, last_y = column + _DX[turn], row + _DY[turn]
    x, y = column, row
    for number in range(len(points)):
        while True:
            turn = (turn + 1) & 7
            next_x, next_y = x + _DX[turn], y + _DY[turn]
            if regions[next_y, next_x] == name:
                break
        points[number, 0], points[number, 1] = x, y
        if next_x == column and next_y == row and x == last_x and y == last_y:
            return number + 1
        x, y = next_x, next_y
        turn = (turn + 4) & 7
    return -1
