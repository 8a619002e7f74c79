"""Where a specimen's cells were seen, as stored beside them: outlines and ways through the picture.

``tracks.parquet`` has one row a sighting, in the order of the frames: ``cell_id`` (−1: seen, but
not counted), ``frame``, ``x``, ``y`` (centroid, px) and ``outline`` (x and y of each corner in
turn, px; empty where the cell was inside the blob of another).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cellcensus.errors import StoreError

TRACKS = "tracks.parquet"
NOT_COUNTED = -1
SCHEMA = pa.schema(
    [
        ("cell_id", pa.int32()),
        ("frame", pa.int32()),
        ("x", pa.float32()),
        ("y", pa.float32()),
        ("outline", pa.list_(pa.int16())),
    ]
)


@dataclass(frozen=True, eq=False)
class Seen:
    """One thing in one frame.

    Parameters
    ----------
    cell_id
        Of the cell; −1 for what was seen, but is not counted.
    x, y
        Centroid, px.
    outline
        (m, 2) int16, px; empty where it was inside the blob of another.
    way
        (k, 2) float32, px: where the cell was in the frames around this one, in order.
    """

    cell_id: int
    x: float
    y: float
    outline: NDArray[np.int16]
    way: NDArray[np.float32]


def has_tracks(folder: Path) -> bool:
    """Whether sightings are stored beside these cells; older ones have none."""
    return (folder / TRACKS).is_file()


def seen_in(folder: Path, frame: int, *, around: int = 40) -> list[Seen]:
    """What was seen in one frame.

    Parameters
    ----------
    folder
        Of the cells.
    frame
        Index from 0.
    around
        Frames before and after it that are looked at for the ways of its cells.

    Raises
    ------
    StoreError
        The file is missing or damaged.
    """
    try:
        table = _rows_between(folder / TRACKS, frame - around, frame + around)
    except (OSError, pa.ArrowException) as error:
        raise StoreError(
            "the tracks of a specimen's cells cannot be read",
            file=folder / TRACKS,
            next_step="delete the folder that holds it and run `cellcensus ingest` again",
        ) from error
    columns = {name: table[name].to_numpy() for name in SCHEMA.names[:-1]}
    place = np.column_stack([columns["x"], columns["y"]])
    here = np.flatnonzero(columns["frame"] == frame)
    outlines = table["outline"].take(pa.array(here)).to_pylist()
    return [
        Seen(
            int(columns["cell_id"][index]),
            float(place[index, 0]),
            float(place[index, 1]),
            np.array(outline, np.int16).reshape(-1, 2),
            _way(columns["cell_id"], place, index),
        )
        for index, outline in zip(here.tolist(), outlines, strict=True)
    ]


def _way(cell_id: NDArray[Any], place: NDArray[np.float32], index: int) -> NDArray[np.float32]:
    if cell_id[index] == NOT_COUNTED:
        return place[:0]
    return place[cell_id == cell_id[index]]


def _rows_between(path: Path, first: int, last: int) -> pa.Table:
    with pq.ParquetFile(path) as file:
        groups = [
            number
            for number in range(file.metadata.num_row_groups)
            if _overlaps(file.metadata.row_group(number).column(1).statistics, first, last)
        ]
        table = file.read_row_groups(groups) if groups else SCHEMA.empty_table()
    frame = table["frame"].to_numpy()
    return table.take(pa.array(np.flatnonzero((frame >= first) & (frame <= last))))


def _overlaps(statistics: Any, first: int, last: int) -> bool:
    return statistics is None or (statistics.min <= last and statistics.max >= first)
