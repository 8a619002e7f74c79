"""Finished cells → columns and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellcensus.settings import IngestSettings
from cellcensus.study import Acquisition
from pipeline.features import FEATURES, measure
from pipeline.optics import Optics
from pipeline.views import View, draw, mask_of, true_mask

_WHOLE = ("cell_id", "first_frame", "last_frame", "best_frame", "n_frames")
_REAL = ("x", "y", "width", "height", *FEATURES, "speed_um_s")

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
    """

    def __init__(
        self,
        acquisition: Acquisition,
        settings: IngestSettings,
        optics: Optics,
        window_px: float,
    ) -> None:
        self.acquisition = acquisition
        self.settings = settings
        self.optics = optics
        self.window_px = window_px
        self._rows: list[dict[str, Any]] = []
        self._crops: list[NDArray[np.uint8]] = []

    def __len__(self) -> int:
        return len(self._rows)

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
            mask = mask_of(view, self.optics.shrink)
            if not row:
                own = true_mask(view.contrast, mask, 1.0 + self.optics.shrink)
                row = measure(view.contrast, own, self.acquisition.pixel_size_um)
            pictures.append(self._drawn(view, mask))
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
            "flags": ";".join([*flags, *(["cut_by_border"] if best.cut else [])]),
        }
        self._rows.append(row)
        missing = self.settings.views - len(pictures)
        self._crops.append(np.array(pictures + [pictures[0]] * missing))

    def _drawn(self, view: View, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return draw(
            view.contrast,
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
        mass = np.array([abs(row["contrast_mean"]) * row["area_um2"] for row in self._rows])
        single = np.array([not row["touching"] for row in self._rows], bool)
        if np.count_nonzero(single) < _ENOUGH:
            return 0
        usual = float(np.nanmedian(mass[single]))
        least = np.array([_SLIGHT if row["alone"] else _SLIGHT_PIECE for row in self._rows])
        kept = np.flatnonzero(~(mass < least * usual)).tolist()
        dropped = len(self._rows) - len(kept)
        self._rows = [self._rows[index] for index in kept]
        self._crops = [self._crops[index] for index in kept]
        return dropped

    def table(self) -> tuple[dict[str, NDArray[Any]], NDArray[np.uint8]]:
        """Columns and pictures in the order in which cells were first seen."""
        order = sorted(
            range(len(self._rows)),
            key=lambda index: (self._rows[index]["first_frame"], self._rows[index]["y"], index),
        )
        rows = [self._rows[index] for index in order]
        for number, row in enumerate(rows):
            row["cell_id"] = number
        table: dict[str, NDArray[Any]] = {}
        for name in _WHOLE:
            table[name] = np.array([row[name] for row in rows], np.int32)
        for name in _REAL:
            table[name] = np.array([row[name] for row in rows], np.float32)
        table["touching"] = np.array([row["touching"] for row in rows], bool)
        table["n_views"] = np.array([row["n_views"] for row in rows], np.int8)
        table["flags"] = np.array([row["flags"] for row in rows], dtype=np.str_)
        side, views = self.settings.crop_pixels, self.settings.views
        crops = np.empty((len(rows), views, side, side), np.uint8)
        for number, index in enumerate(order):
            crops[number] = self._crops[index]
        return table, crops
