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
from pipeline.features import measure
from pipeline.optics import Optics
from pipeline.spool import Spool
from pipeline.views import View, draw, mask_of, true_mask

_WHOLE = ("first_frame", "last_frame", "best_frame", "n_frames")
_REAL = ("x", "y", "width", "height", *FEATURES, "speed_um_s")
#: What is kept of a cell, in the order of the columns.
_KEPT = (*_WHOLE, *_REAL, "touching", "n_views", "alone")
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
        self.window_px = window_px
        self._columns = {name: array("d") for name in _KEPT}
        self._flags: list[str] = []
        self._dropped = np.zeros(0, bool)
        self._spool = spool

    def __len__(self) -> int:
        return len(self._flags) - int(np.count_nonzero(self._dropped))

    def add(
        self,
        views: Sequence[View],
        frames: Sequence[int],
        speed_px: float,
        flags: Sequence[str] = (),
        *,
        alone: bool = True,
    ) -> None:
        """Take a finished cell.

        Parameters
        ----------
        views
            At least one, best first.
        frames
            Every frame it was seen in.
        speed_px
            Pixels per frame; NaN where it cannot be said.
        flags
            Words that concern it.
        alone
            Whether it was also seen apart from others.
        """
        pictures = []
        row: dict[str, Any] = {}
        for view in views:
            mask, contrast = mask_of(view, self.optics.shrink), view.contrast
            if not row:
                own = true_mask(contrast, mask, 1.0 + self.optics.shrink)
                row = measure(contrast, own, self.acquisition.pixel_size_um)
            pictures.append(self._drawn(view, contrast, mask))
        best = views[0]
        rate = self.acquisition.frame_rate_hz
        row |= {
            "alone": alone,
            "first_frame": frames[0],
            "last_frame": frames[-1],
            "best_frame": best.frame,
            "n_frames": len(frames),
            "x": best.x,
            "y": best.y,
            "width": best.box[2],
            "height": best.box[3],
            "focus": best.focus,
            "speed_um_s": speed_px * self.acquisition.pixel_size_um * rate if rate else np.nan,
            "touching": best.touching,
            "n_views": len(views),
        }
        for name, column in self._columns.items():
            column.append(row[name])
        self._flags.append(";".join([*flags, *(["cut_by_border"] if best.cut else [])]))
        missing = self.settings.views - len(pictures)
        self._spool.add(np.array(pictures + [pictures[0]] * missing))

    def _drawn(
        self, view: View, contrast: NDArray[np.float32], mask: NDArray[np.uint8]
    ) -> NDArray[np.uint8]:
        return draw(
            contrast,
            mask,
            (view.x - view.left, view.y - view.top),
            window_px=self.window_px,
            side=self.settings.crop_pixels,
            full_scale=self.settings.full_scale,
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
        return np.array(self._columns[name])

    def table(self, crops_file: Path) -> tuple[dict[str, NDArray[Any]], NDArray[np.uint8]]:
        """Columns, and pictures in a new file, in the order in which cells were first seen."""
        order = np.lexsort((self._column("y"), self._column("first_frame")))
        if self._dropped.any():
            order = order[~self._dropped[order]]
        table: dict[str, NDArray[Any]] = {"cell_id": np.arange(len(order), dtype=np.int32)}
        for name in _KEPT:
            if name != "alone":
                table[name] = self._column(name)[order].astype(_TYPES.get(name, np.float32))
        table["flags"] = np.array([self._flags[index] for index in order.tolist()], dtype=np.str_)
        return table, self._spool.write(crops_file, order)
