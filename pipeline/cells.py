"""A specimen's cells on disk: a Parquet table, an array of pictures, the quality."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cellcensus.errors import PicturesGoneError, StoreError
from cellcensus.retained import pictures_are_gone
from pipeline.quality import Quality

TABLE, CROPS, QUALITY, PREVIEW = "cells.parquet", "crops.npy", "quality.json", "preview.jpg"


@dataclass
class Cells:
    """Every unique cell of a specimen.

    Parameters
    ----------
    table
        Columns of length N; names and units in ``docs/design.md``.
    crops
        (N, V, S, S) uint8, V views of each cell, the best first.
    quality
        Of the recording.
    """

    table: dict[str, NDArray[Any]]
    crops: NDArray[np.uint8]
    quality: Quality

    def __len__(self) -> int:
        return len(self.crops)


def write_cells(folder: Path, cells: Cells) -> None:
    """Write cells into an existing folder; the caller publishes the folder.

    Raises
    ------
    OSError
        The disk is full or cannot be written.
    """
    table = pa.table({name: pa.array(column) for name, column in cells.table.items()})
    pq.write_table(table, folder / TABLE, compression="zstd")
    if not _lie_there(cells.crops, folder / CROPS):
        np.save(folder / CROPS, cells.crops, allow_pickle=False)
    text = json.dumps(cells.quality.as_dict(), indent=1)
    (folder / QUALITY).write_text(text, encoding="utf-8")


def _lie_there(crops: NDArray[np.uint8], path: Path) -> bool:
    """Whether a census has written its pictures to that very file already."""
    file = getattr(crops, "filename", None)
    return file is not None and path.exists() and path.samefile(file)


def read_cells(folder: Path) -> Cells:
    """Read the cells of a specimen; the pictures stay on disk until they are looked at.

    Raises
    ------
    PicturesGoneError
        The pictures were deleted after the time they are kept; :func:`read_columns` works still.
    StoreError
        The folder is missing or damaged.
    """
    if pictures_are_gone(folder) and not (folder / CROPS).is_file():
        raise PicturesGoneError(
            "the pictures of these cells were deleted after the time they are kept",
            file=folder,
            next_step="`cellcensus ingest STUDY --specimen ID` makes them again from the recording",
        )
    try:
        figures = json.loads((folder / QUALITY).read_text(encoding="utf-8"))
        return Cells(
            table=read_columns(folder),
            crops=np.load(folder / CROPS, mmap_mode="r", allow_pickle=False),
            quality=Quality.of({k: np.nan if v is None else v for k, v in figures.items()}),
        )
    except (OSError, ValueError, TypeError) as error:
        raise _damaged(folder) from error


def read_columns(folder: Path, columns: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
    """Read columns of the table alone; all of them if none is named.

    Raises
    ------
    StoreError
        The table is missing or damaged.
    """
    try:
        table = pq.read_table(folder / TABLE, columns=None if columns is None else list(columns))
    except (OSError, pa.ArrowException) as error:
        raise _damaged(folder) from error
    return {name: table[name].to_numpy() for name in table.column_names}


def _damaged(folder: Path) -> StoreError:
    return StoreError(
        "the stored cells cannot be read",
        file=folder,
        next_step="delete that folder and run `cellcensus ingest` again",
    )
