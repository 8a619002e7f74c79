"""Tracks that are inside one thing together: cells that touch or hide each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled
from pipeline.linking.motion import Expected, Seen

#: Share of its radius within which a thing's heart lies.
_HEART = 0.6
#: What a track is inside a thing: by itself, or with others the one it was given to, or another.
ALONE, HOST, GUEST = 0, 1, 2


@compiled
def share(
    expected: Expected, seen: Seen, row_of: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Tracks that are inside one thing together, and where in it.

    A detection takes in the tracks that are expected inside it and have none of their own, as
    long as their areas add up to about its own.

    Parameters
    ----------
    row_of
        (n,) track of each detection, −1 for none; gets a host where tracks share what is nobody's.

    Returns
    -------
    role, x, y
        Of each track: `ALONE`, `HOST` or `GUEST`, and where it is unless alone.
    """
    number = len(expected.x)
    role = np.full(number, ALONE, np.int64)
    x, y = np.empty(number), np.empty(number)
    holder = _holders(expected, seen, row_of)
    members = np.empty(number + 1, np.int64)
    for index in range(len(row_of)):
        owned = row_of[index] >= 0
        count = 0
        if owned:
            members[0], count = row_of[index], 1
        for row in range(number):
            if holder[row] == index:
                members[count] = row
                count += 1
        if count == owned:
            continue
        kept = _fitting(members[:count], expected, seen.area[index])
        if not owned and not len(kept):
            # Its size was misjudged: what is expected at the heart of a thing is that thing.
            kept = _at_heart(members[:count], expected, seen, index)
        if not len(kept) or (owned and len(kept) < 2):
            continue
        if not owned:
            # Nobody's blob: the largest member hosts the others.
            kept = kept[np.argsort(-expected.area[kept], kind="mergesort")]
            row_of[index] = kept[0]
        if len(kept) > 1:
            _place(kept, expected, (seen.x[index], seen.y[index]), (x, y))
            role[kept] = GUEST
            role[kept[0]] = HOST
    return role, x, y


@compiled
def _holders(expected: Expected, seen: Seen, row_of: NDArray[np.int64]) -> NDArray[np.int64]:
    """The detection whose box holds what is expected of each track without one; −1 for none."""
    result = np.full(len(expected.x), -1)
    taken = np.zeros(len(expected.x), np.bool_)
    for index in range(len(row_of)):
        if row_of[index] >= 0:
            taken[row_of[index]] = True
    for row in range(len(result)):
        if taken[row]:
            continue
        least = np.inf
        for index in range(len(row_of)):
            left, top, width, height = seen.box[index]
            dx, dy = expected.x[row] - left, expected.y[row] - top
            if 0 <= dx <= width and 0 <= dy <= height:
                away = np.hypot(seen.x[index] - expected.x[row], seen.y[index] - expected.y[row])
                if away < least:
                    least, result[row] = away, index
    return result


@compiled
def _fitting(rows: NDArray[np.int64], expected: Expected, room: float) -> NDArray[np.int64]:
    """The first of some tracks that together fit into a blob: their union is at most 1.5 times it.

    Of a cell that is expected over another one only the part beside it counts.
    """
    kept = np.empty(len(rows), np.int64)
    number, filled = 0, 0.0
    for row in rows:
        adds = expected.area[row]
        for other in kept[:number]:
            apart = np.hypot(
                expected.x[row] - expected.x[other], expected.y[row] - expected.y[other]
            )
            reach = np.sqrt(expected.area[row] / np.pi) + np.sqrt(expected.area[other] / np.pi)
            adds *= min(apart / reach, 1.0)
        if filled + adds < 1.5 * room:
            kept[number] = row
            number += 1
            filled += adds
    return kept[:number] if filled > 0.6 * room else kept[:0]


@compiled
def _at_heart(
    rows: NDArray[np.int64], expected: Expected, seen: Seen, index: int
) -> NDArray[np.int64]:
    away = np.hypot(expected.x[rows] - seen.x[index], expected.y[rows] - seen.y[index])
    nearest = np.argmin(away)
    near = away[nearest] < _HEART * np.sqrt(seen.area[index] / np.pi)
    return rows[nearest : nearest + 1] if near else rows[:0]


@compiled
def _place(
    members: NDArray[np.int64],
    expected: Expected,
    centre: tuple[float, float],
    places: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    """Members move on together by what the blob's centre differs from theirs."""
    weight = expected.area[members] / expected.area[members].sum()
    shift_x = centre[0] - (weight * expected.x[members]).sum()
    shift_y = centre[1] - (weight * expected.y[members]).sum()
    for row in members:
        places[0][row] = expected.x[row] + shift_x
        places[1][row] = expected.y[row] + shift_y
