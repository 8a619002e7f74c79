"""Finished cells → columns and pictures."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellcensus.settings import IngestSettings
from cellcensus.study import Acquisition
from pipeline.columns import FEATURES
from pipeline.kernels.keep import CUT, FOCUS, FRAME, HEIGHT, TOUCHING, WIDTH, Kept, X, Y
from pipeline.kernels.portrait import Paper, portray
from pipeline.spool import Spool

_WHOLE = ("first_frame", "last_frame", "best_frame", "n_frames")
_REAL = ("x", "y", "width", "height", *FEATURES, "speed_um_s")
#: What is no column of the cells.
_INSIDE = ("alone", "track")
#: What is kept of a cell, in the order of the columns.
_KEPT = (*_WHOLE, *_REAL, "touching", "n_views", *_INSIDE)
_TYPES: dict[str, type] = {
    **dict.fromkeys(_WHOLE, np.int32),
    "touching": np.bool_,
    "n_views": np.int8,
}

#: Share of the usual mass below which nothing is a cell: of what was seen alone, and of what never
#: was. Of 6,818 simulated cells one lies below the first; of 18 things that are none, 12.
_SLIGHT, _SLIGHT_PIECE = 0.25, 0.35
#: Fewer single cells than this have no usual mass.
_ENOUGH = 20


class Rows:
    """Collects one row and the pictures of every unique cell.

    Parameters
    ----------
    acquisition
        Pixel size and frame rate.
    settings
        Number of views, side of a picture, full scale.
    shrink
        Of the frames in detection.
    window_px
        Side of the window of a picture, pixels of the frame.
    spool
        Where pictures wait.
    """

    def __init__(
        self,
        acquisition: Acquisition,
        settings: IngestSettings,
        shrink: int,
        window_px: float,
        spool: Spool,
    ) -> None:
        self._acquisition = acquisition
        self._views = settings.views
        self._paper = Paper(
            window=float(window_px),
            side=settings.crop_pixels,
            full_scale=float(settings.full_scale),
            pixel_um=float(acquisition.pixel_size_um),
            edge=1.0 + shrink,
        )
        self._values = array("d")
        self._flags: list[str] = []
        self._dropped = np.zeros(0, bool)
        self._spool = spool

    def __len__(self) -> int:
        return len(self._flags) - int(np.count_nonzero(self._dropped))

    def add(
        self,
        kept: Kept,
        frames: NDArray[np.int64],
        speed_px: NDArray[np.float64],
        *,
        tracks: NDArray[np.int64],
        alone: NDArray[np.bool_],
    ) -> None:
        """Draw and take finished cells.

        Parameters
        ----------
        kept
            Views of n cells, at least one of each.
        frames
            (n, 3): the first and the last each was seen in, and in how many it was.
        speed_px
            (n,) pixels per frame; NaN where it cannot be said.
        tracks
            (n,) their numbers in `pipeline.sightings`.
        alone
            (n,) whether each was also seen apart from others.
        """
        pictures, features = portray(kept, self._views, self._paper)
        self._spool.add(pictures)
        best = kept.facts[np.cumsum(kept.counts) - kept.counts]
        rate = self._acquisition.frame_rate_hz
        speed = speed_px * self._acquisition.pixel_size_um * (rate or np.nan)
        # In the order of the columns that are kept.
        own = [*frames.T[:2], best[:, FRAME], frames[:, 2], *best.T[[X, Y, WIDTH, HEIGHT]]]
        own += [*features.T, best[:, FOCUS], speed, best[:, TOUCHING], kept.counts, alone, tracks]
        self._values.frombytes(np.column_stack(own).astype(float).tobytes())
        self._flags += ["cut_by_border" if cut else "" for cut in best[:, CUT].tolist()]

    def drop_slight(self) -> int:
        """Take out what is far slighter than the cells of this recording; how many that was.

        The light that a cell blocks in all, mean contrast times area, varies less than its size:
        pale discs, clumps of platelets and pieces of nuclei have a quarter of the usual at most.
        What never was apart from others is likelier to be such a piece.
        """
        mass = np.abs(self._column("contrast_mean")) * self._column("area_um2")
        single = self._column("touching") == 0
        self._dropped = np.zeros(len(mass), bool)
        if np.count_nonzero(single) >= _ENOUGH:
            usual = float(np.nanmedian(mass[single]))
            least = np.where(self._column("alone") > 0, _SLIGHT, _SLIGHT_PIECE)
            self._dropped = mass < least * usual
        return int(np.count_nonzero(self._dropped))

    def _column(self, name: str) -> NDArray[np.float64]:
        return np.array(self._values[_KEPT.index(name) :: len(_KEPT)])

    def order(self) -> NDArray[np.int64]:
        """Places of the rows in the order in which cells were first seen, without those dropped."""
        order = np.lexsort((self._column("y"), self._column("first_frame")))
        return order[~self._dropped[order]] if self._dropped.any() else order

    def table(self, order: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Columns of the cells."""
        table: dict[str, NDArray[Any]] = {"cell_id": np.arange(len(order), dtype=np.int32)}
        for name in _KEPT:
            if name not in _INSIDE:
                table[name] = self._column(name)[order].astype(_TYPES.get(name, np.float32))
        table["flags"] = np.array([self._flags[index] for index in order.tolist()], dtype=np.str_)
        return table

    def tracks(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of the track that each cell was."""
        return self._column("track")[order].astype(np.int64)

    def crops(self, order: NDArray[np.int64], file: Path) -> NDArray[np.uint8]:
        """Pictures of the cells, in a new file."""
        return self._spool.write(file, order)
