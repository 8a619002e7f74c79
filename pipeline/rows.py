"""Finished cells → columns and pictures."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellcensus.settings import IngestSettings
from cellcensus.study import Acquisition
from pipeline.columns import FEATURES
from pipeline.kernels.portrait import portray
from pipeline.optics import Optics
from pipeline.spool import Spool
from pipeline.views import View

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
    optics
        Of the recording.
    window_px
        Side of the window of a picture, pixels of the frame.
    spool
        Where pictures wait.
    """

    def __init__(
        self,
        acquisition: Acquisition,
        settings: IngestSettings,
        optics: Optics,
        window_px: float,
        spool: Spool,
    ) -> None:
        self.acquisition = acquisition
        self.settings = settings
        self.optics = optics
        scale, size = float(settings.full_scale), float(acquisition.pixel_size_um)
        self._paper = float(window_px), scale, size
        self._values = array("d")
        self._flags: list[str] = []
        self._dropped = np.zeros(0, bool)
        self._spool = spool
        # Room for one cell.
        self._pictures, self._features = (
            np.empty(spool.shape, np.uint8),
            np.empty(len(FEATURES) - 1),
        )

    def __len__(self) -> int:
        return len(self._flags) - int(np.count_nonzero(self._dropped))

    def add(
        self,
        views: Sequence[View],
        frames: tuple[int, int, int],
        speed_px: float,
        *,
        track: int,
        alone: bool = True,
    ) -> None:
        """Draw and take a finished cell.

        Parameters
        ----------
        views
            At least one, best first.
        frames
            The first and the last it was seen in, and in how many it was.
        speed_px
            Pixels per frame; NaN where it cannot be said.
        track
            Its number in `pipeline.sightings`.
        alone
            Whether it was also seen apart from others.
        """
        pictures, features = self._pictures, self._features
        for place, view in enumerate(views):
            self._portray(view, pictures, place, features)
        if len(views) < len(pictures):
            pictures[len(views) :] = pictures[0]
        self._spool.add(pictures)
        shot, index = views[0]
        found = shot.found
        rate = self.acquisition.frame_rate_hz
        speed = speed_px * self.acquisition.pixel_size_um * rate if rate else np.nan
        size = found.box[index, 2:].tolist()
        # In the order of the columns that are kept.
        self._values.extend((*frames[:2], found.frame, frames[2], found.x[index], found.y[index]))
        self._values.extend((*size, *features.tolist(), shot.focus[index], speed))
        self._values.extend((found.touching[index], len(views), alone, track))
        self._flags.append("cut_by_border" if found.cut[index] else "")

    def _portray(
        self,
        view: View,
        pictures: NDArray[np.uint8],
        place: int,
        features: NDArray[np.float64],
    ) -> None:
        shot, index = view
        found = shot.found
        portray(
            shot.pixels,
            shot.ground,
            shot.corner,
            (found.gain, self.optics.level),
            self.optics.shrink,
            (found.box, found.x, found.y, found.outlines.points, found.outlines.starts),
            index,
            self._paper,
            pictures,
            place,
            features,
        )

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
