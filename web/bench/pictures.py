"""Pictures of cells for the pages: many cells side by side in one PNG, or all views of one cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellcensus.errors import CellcensusError, PicturesGoneError

#: Cells in one picture, at most: a page of the gallery.
MOST = 100

_GREY, _SIDE = np.uint8(128), 48


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of one folder: pictures that stay on disk, and the table.

    ``crops`` is (n, V, S, S) uint8; ``row_of`` is ``cell_id`` → row.
    """

    crops: NDArray[np.uint8]
    table: dict[str, NDArray[Any]]
    row_of: dict[int, int]

    @property
    def side(self) -> int:
        """Pixels of a picture, each way."""
        return int(self.crops.shape[-1])


@lru_cache(maxsize=8)
def cells_of(folder: Path) -> Cells:
    """The cells of a folder; folders are never altered, so that they may be kept.

    Raises
    ------
    StoreError
        It is missing or damaged.
    """
    from pipeline.cells import read_cells, read_columns  # noqa: PLC0415  loads OpenCV

    try:
        found = read_cells(folder)
        crops, table = found.crops, found.table
    except PicturesGoneError:  # a finding says so; the cells can be chosen by their figures still
        table = read_columns(folder)
        crops = np.broadcast_to(_GREY, (len(table["cell_id"]), 1, _SIDE, _SIDE))
        table["n_views"] = np.ones(len(table["cell_id"]), np.int8)
    rows = {int(cell): row for row, cell in enumerate(table["cell_id"])}
    return Cells(crops, table, rows)


def side_by_side(cells: Cells, ids: Sequence[int]) -> bytes:
    """PNG of the best picture of each cell, from left to right.

    Raises
    ------
    KeyError
        There is no such cell.
    """
    rows = [cells.row_of[cell] for cell in ids]
    return _png(np.hstack([cells.crops[row, 0] for row in rows]))


def all_views(cells: Cells, cell_id: int) -> bytes:
    """PNG of every view that was kept of one cell, the best first.

    Raises
    ------
    KeyError
        There is no such cell.
    """
    row = cells.row_of[cell_id]
    number = max(int(cells.table["n_views"][row]), 1)
    return _png(np.hstack(list(cells.crops[row, :number])))


def _png(pixels: NDArray[np.uint8]) -> bytes:
    import cv2  # noqa: PLC0415

    # Least effort: the pictures are small, and somebody waits for them.
    done, coded = cv2.imencode(
        ".png", np.ascontiguousarray(pixels), [cv2.IMWRITE_PNG_COMPRESSION, 1]
    )
    if not done:
        raise CellcensusError("A picture of cells could not be encoded.")
    return coded.tobytes()


def figures_of(cells: Cells, cell_id: int) -> dict[str, float]:
    """What was measured of one cell.

    Raises
    ------
    KeyError
        There is no such cell.
    """
    row = cells.row_of[cell_id]
    return {
        name: float(column[row])
        for name, column in cells.table.items()
        if column.dtype.kind in "iuf"
    }
