"""The best views of each track while it is open.

A view that gets among the best is cut out of its frame at once, so that no frame waits for tracks
to end, and memory grows with the cells in view alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.keep import (
    Kept,
    Views,
    empty_gallery,
    keep_views,
    move_views,
    take_out,
)
from pipeline.views import Shot

#: Longest side of what is cut out, pixels: room for several is asked for at once.
_LONGEST = 2048
#: Rows of a new gallery.
_FEW = 16


class BestViews:
    """Keeps the best views of the tracks in the rows of a table.

    Parameters
    ----------
    number
        Views of a track.
    longest
        Longest side of a view, pixels: of what is larger, the middle is kept.
    level
        Grey value that contrast is measured in.
    shrink
        Of the frames in detection.
    """

    def __init__(self, number: int, longest: int, level: float, shrink: int) -> None:
        self._number, self._longest = number, min(longest, _LONGEST)
        self._level, self._shrink = level, shrink
        self._gallery = empty_gallery(_FEW, number, self._longest**2)

    @property
    def rows(self) -> int:
        """Tracks that there is room for."""
        return len(self._gallery.counts)

    def take(self, shot: Shot, owners: NDArray[np.int64]) -> None:
        """Take the views of a frame.

        Parameters
        ----------
        shot
            The frame.
        owners
            (n,) row of the track that each detection belongs to; −1 for what is not to be kept.
        """
        if not len(owners):
            return
        self._make_room(int(owners.max()) + 1)
        found, outlines = shot.found, shot.found.outlines
        views = Views(
            found.frame, found.x, found.y, found.box, found.focus, found.touching, found.cut,
            outlines.points, outlines.starts, self._shrink, found.scores,
        )  # fmt: skip
        light = (found.gain, self._level)
        keep_views(self._gallery, owners, views, shot.pixels, shot.ground, light, self._longest)

    def views(self, rows: NDArray[np.int64]) -> Kept:
        """A copy of the best views of some tracks, best first."""
        return take_out(self._gallery, rows)

    def forget(self, rows: NDArray[np.int64]) -> None:
        """Let tracks go, whose rows others will take."""
        self._gallery.counts[rows] = 0

    def _make_room(self, rows: int) -> None:
        before = self._gallery
        if rows <= self.rows:
            return
        self._gallery = empty_gallery(max(rows, 2 * self.rows), self._number, self._longest**2)
        move_views(before, self._gallery)
