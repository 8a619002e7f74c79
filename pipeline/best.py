"""The best views of each track while it is open.

What is kept of a view is its place among the best: score, frame, and which detection of it. Recent
frames are kept whole, and when one is let go, the views of it that are still among the best are cut
out of it: where cells pass quickly none ever is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.keep import keep_views
from pipeline.views import Shot, View

#: Room for recent frames, bytes, and how many they are at least and at most.
_ROOM, _FEWEST, _MOST = 24e6, 2, 64


class BestViews:
    """Keeps the best views of the tracks in the rows of a table.

    Parameters
    ----------
    number
        Views of a track.
    """

    def __init__(self, number: int) -> None:
        self._score = np.zeros((0, number))
        self._frame, self._index = np.zeros((2, 0, number), np.int64)
        self._count = np.zeros(0, np.int64)
        self._shots: dict[int, Shot] = {}
        self._cut_out: dict[tuple[int, int], Shot] = {}

    def take(self, shot: Shot, owners: NDArray[np.int64], rows: int) -> None:
        """Take the views of a frame.

        Parameters
        ----------
        shot
            The frame.
        owners
            (n,) row of the track that each detection belongs to.
        rows
            Of the table.
        """
        self._make_room(rows)
        tables = (self._score, self._frame, self._index, self._count)
        self._shots[shot.index] = shot
        most = min(max(int(_ROOM / (shot.pixels.nbytes + 1)), _FEWEST), _MOST)
        gone = next(iter(self._shots)) if len(self._shots) > most else -1
        left = keep_views(tables, owners, shot.scores, shot.index, gone)
        if gone >= 0:
            self._let_go(gone, left)

    def views(self, rows: NDArray[np.int64]) -> list[list[View]]:
        """The best views of some tracks, best first."""
        counts, frames = self._count[rows].tolist(), self._frame[rows].tolist()
        indices = self._index[rows].tolist()
        return [
            [self._view(row, *place) for place in zip(frame[:count], index[:count], strict=True)]
            for row, count, frame, index in zip(rows.tolist(), counts, frames, indices, strict=True)
        ]

    def _view(self, row: int, frame: int, index: int) -> View:
        shot = self._shots.get(frame)
        return (self._cut_out[row, frame], 0) if shot is None else (shot, index)

    def kept(self) -> tuple[int, int]:
        """How many whole frames are kept, and how many parts of others."""
        return len(self._shots), len(self._cut_out)

    def forget(self, rows: NDArray[np.int64]) -> None:
        """Let tracks go, whose rows others will take."""
        if self._cut_out:
            gone = set(rows.tolist())
            self._cut_out = {k: shot for k, shot in self._cut_out.items() if k[0] not in gone}
        self._count[rows] = 0

    def _let_go(self, frame: int, left: NDArray[np.int64]) -> None:
        shot = self._shots.pop(frame)
        for row, index in left.tolist():
            self._cut_out[row, frame] = shot.cut_out(index)

    def _make_room(self, rows: int) -> None:
        more = rows - len(self._count)
        if more > 0:
            self._score = np.pad(self._score, ((0, more), (0, 0)))
            self._frame = np.pad(self._frame, ((0, more), (0, 0)))
            self._index = np.pad(self._index, ((0, more), (0, 0)))
            self._count = np.pad(self._count, (0, more))
