"""Outlines of one frame → the things among them that could be cells, touching ones apart."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.border import complete_discs
from pipeline.kernels.compiled import compiled
from pipeline.kernels.cut import cut_apart, may_be_several
from pipeline.kernels.outlines import AREA, LEFT, SOLIDITY, X, Y, measure_outline, measure_outlines
from pipeline.kernels.things import Limits, are_things


class Found(NamedTuple):
    """Things of one frame.

    Parameters
    ----------
    columns
        (4, n): x, y, area, solidity as from `pipeline.kernels.outlines.measure_outlines`, in pixels
        of the frame, what one border cuts completed to a disc. The solidity of a piece is that of
        the whole it was cut from, which tells how sure the parting is.
    box
        (n, 4): left, top, width, height, in pixels of the frame.
    cut, touching
        (n,) whether a border cuts it; whether it was cut out of an outline that holds several.
    blob
        (n,) outline each came from.
    points, starts
        Their outlines in pixels of the shrunk frame, one after the other, and where each begins.
    oversized
        Things left out because they are far larger than any cell.
    """

    columns: NDArray[np.float64]
    box: NDArray[np.int64]
    cut: NDArray[np.bool_]
    touching: NDArray[np.bool_]
    blob: NDArray[np.int64]
    points: NDArray[np.int32]
    starts: NDArray[np.int64]
    oversized: int


@compiled
def detect_things(
    points: NDArray[np.int32],
    starts: NDArray[np.int64],
    frame: NDArray[Any],
    ground: tuple[NDArray[np.float32], float],
    limits: Limits,
    signs: tuple[bool, bool],
    shrink: int,
    sums: NDArray[Any],
) -> Found:
    """Measure outlines, leave out what is no cell, and cut apart what may be several.

    Parameters
    ----------
    points, starts
        All outlines of the frame, as for `pipeline.kernels.outlines.measure_outlines`.
    frame, ground, limits, signs, sums
        As for `pipeline.kernels.things.are_things`.
    shrink
        Whole number by which the frame was shrunk.
    """
    outlines = measure_outlines(points, starts)
    good = are_things(frame, ground, outlines, limits, signs, sums)
    room = len(starts)
    blob, own_starts = np.empty(room, np.int64), np.zeros(room + 1, np.int64)
    table, own_points = np.empty((room, 8)), np.empty((2 * len(points), 2), np.int32)
    number, oversized = 0, 0
    for index in np.flatnonzero(good):
        row = outlines[index]
        pieces, ends = points[starts[index] : starts[index + 1]], starts[:1]
        several = may_be_several(row, limits.smallest_piece)
        if several:
            cut, ends = cut_apart(pieces, row, limits.smallest_piece)
            several = len(ends) > 1
            if several:
                pieces = cut
        if not several:
            if row[AREA] > limits.bubble_area and row[SOLIDITY] > limits.bubble_solidity:
                oversized += 1
                continue
            ends = np.array([0, len(pieces)])
        begin = own_starts[number]
        if begin + len(pieces) > len(own_points):
            own_points = _longer(own_points, begin + len(pieces))
        own_points[begin : begin + len(pieces)] = pieces
        for piece in range(len(ends) - 1):
            if number == room:
                table, blob, own_starts = _more(table, blob, own_starts)
                room = len(blob)
            if several:
                measure_outline(pieces[ends[piece] : ends[piece + 1]], table[number])
                table[number, SOLIDITY] = row[SOLIDITY]
            else:
                table[number] = row
            blob[number] = index
            number += 1
            own_starts[number] = begin + ends[piece + 1]
    table = table[:number]
    at_border = complete_discs(table, frame.shape[0], frame.shape[1])
    columns, box, touching = _in_pixels_of_the_frame(table, blob[:number], shrink)
    return Found(
        columns,
        box,
        at_border,
        touching,
        blob[:number],
        own_points[: own_starts[number]],
        own_starts[: number + 1],
        oversized,
    )


@compiled
def _in_pixels_of_the_frame(
    table: NDArray[np.float64], blob: NDArray[np.int64], shrink: int
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    number = len(table)
    columns, box = np.empty((4, number)), np.empty((number, 4), np.int64)
    touching = np.zeros(number, np.bool_)
    # The centre of shrunk pixel i lies at s·i + (s − 1)/2 of the frame.
    offset = (shrink - 1) / 2
    for index in range(number):
        row = table[index]
        columns[0, index] = row[X] * shrink + offset
        columns[1, index] = row[Y] * shrink + offset
        columns[2, index] = row[AREA] * shrink**2
        columns[3, index] = row[SOLIDITY]
        for side in range(4):
            box[index, side] = int(row[LEFT + side] * shrink)
        # Pieces of one outline come one after the other.
        for other in (index - 1, index + 1):
            if 0 <= other < number and blob[other] == blob[index]:
                touching[index] = True
    return columns, box, touching


@compiled
def _longer(points: NDArray[np.int32], least: int) -> NDArray[np.int32]:
    result = np.empty((2 * least, 2), np.int32)
    result[: len(points)] = points
    return result


@compiled
def _more(
    table: NDArray[np.float64], blob: NDArray[np.int64], starts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Twice as much room."""
    number = len(blob)
    wide, names, ends = (
        np.empty((2 * number, 8)),
        np.empty(2 * number, np.int64),
        np.zeros(2 * number + 1, np.int64),
    )
    wide[:number], names[:number], ends[: number + 1] = table, blob, starts
    return wide, names, ends
