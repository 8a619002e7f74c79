"""Which views of a track are its best so far."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled

#: A picture replaces another if it is better by this: a tenth more of focus.
_BETTER = 0.05


@compiled
def keep_views(
    tables: tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    owners: NDArray[np.int64],
    scores: NDArray[np.float64],
    shown: int,
    gone: int,
) -> NDArray[np.int64]:
    """Put the views of one frame among the best of their tracks.

    Parameters
    ----------
    tables
        (rows, V) scores, frames and indices, best first, and (rows,) how many count.
    owners, scores
        (n,) row and score of each detection.
    shown
        Index of the frame.
    gone
        Index of a frame that is to be let go.

    Returns
    -------
    (k, 2) int64
        Row and index of the views of that frame that are among the best.
    """
    score, frame, index, count = tables
    for place in range(len(owners)):
        row = owners[place]
        new = (scores[place], shown, place)
        count[row] = keep_best(score[row], frame[row], index[row], count[row], new, _BETTER)
    return _views_of(tables, gone)


@compiled
def _views_of(
    tables: tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    gone: int,
) -> NDArray[np.int64]:
    _, frame, index, count = tables
    left, number = np.empty((frame.size, 2), np.int64), 0
    for row in range(len(count)):
        for place in range(count[row]):
            if frame[row, place] == gone:
                left[number, 0], left[number, 1] = row, index[row, place]
                number += 1
    return left[:number]


@compiled
def keep_best(
    score: NDArray[np.float64],
    frame: NDArray[np.int64],
    index: NDArray[np.int64],
    number: int,
    new: tuple[float, int, int],
    better: float,
) -> int:
    """Put a view among the best of a track, if it is; how many there are then.

    Parameters
    ----------
    score, frame, index
        (V,) of the best views, best first; the first ``number`` count.
    new
        The same of the view.
    better
        By how much it must exceed the worst, once there are V.
    """
    if number == len(score):
        if new[0] <= score[number - 1] + better:
            return number
        number -= 1
    place = number
    while place > 0 and score[place - 1] < new[0]:
        score[place], frame[place] = score[place - 1], frame[place - 1]
        index[place] = index[place - 1]
        place -= 1
    score[place], frame[place], index[place] = new
    return number + 1
