"""Where every cell was seen, frame by frame, written as the frames go by.

Rows go to a file without a name while the census runs, so that memory does not grow with the
recording. Which sightings belong to which cell is known only at its end: a cell's row says where it
was in its best frame, and the track that was there is its own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.linking import Track
from pipeline.segment import Contour, Detections
from pipeline.tracks import NOT_COUNTED, SCHEMA

#: Rows kept in memory before they are written.
_CHUNK = 20_000
#: Largest distance between an outline and what is kept of it, pixels of the shrunk frame.
_TOLERANCE = 0.6
#: Tracks are forgotten when they were not seen for so many frames: longer than they may be missing.
_FORGOTTEN = 64

_SEEN = pa.schema(
    [
        ("track", pa.int32()),
        ("frame", pa.int32()),
        ("x", pa.float32()),
        ("y", pa.float32()),
        ("outline", pa.list_(pa.int16())),
    ]
)


class Sightings:
    """Collects sightings during one census and publishes them beside its cells."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as this object
        self._writer = pa.ipc.new_stream(self._file, _SEEN)
        self._rows: dict[str, list[Any]] = {name: [] for name in _SEEN.names}
        self._numbers: dict[tuple[int, float, float], tuple[int, int]] = {}
        self._tracks = 0

    def see(
        self,
        found: Detections,
        shrink: int,
        owners: Sequence[Track] = (),
        open_tracks: Sequence[Track] = (),
    ) -> None:
        """Write down one frame.

        Parameters
        ----------
        found
            Its detections.
        shrink
            Of the frame in detection.
        owners
            Track of each detection; none where a detection is in no other frame.
        open_tracks
            All tracks, so that cells inside the blob of another are not left out.
        """
        for index, contour in enumerate(found.contours):
            number = self._number(owners[index], found.frame) if owners else self._next()
            place = float(found.x[index]), float(found.y[index])
            self._add(number, found.frame, place, _outline(contour, shrink))
        seen = {id(owner) for owner in owners}
        for track in open_tracks:
            if track.frames[-1] == found.frame and id(track) not in seen:
                place = track.x[-1], track.y[-1]
                self._add(self._number(track, found.frame), found.frame, place, [])
        if len(self._rows["frame"]) >= _CHUNK:
            self._flush(found.frame)

    def write(self, path: Path, table: dict[str, NDArray[Any]]) -> None:
        """Write ``tracks.parquet`` for the cells of ``table``; to be called once, at the end."""
        self._flush(None)
        self._writer.close()
        cell_of = self._cells_of_tracks(table)
        with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
            for batch in self._batches():
                cell = pa.array(cell_of[batch["track"].to_numpy()], pa.int32())
                kept = [batch[name] for name in SCHEMA.names[1:]]
                writer.write_table(pa.Table.from_arrays([cell, *kept], schema=SCHEMA))
        self._file.close()

    def _cells_of_tracks(self, table: dict[str, NDArray[Any]]) -> NDArray[np.int32]:
        cell_of = np.full(self._tracks, NOT_COUNTED, np.int32)
        places = zip(
            table["best_frame"].tolist(), table["x"].tolist(), table["y"].tolist(), strict=True
        )
        cells = dict(zip(places, table["cell_id"].tolist(), strict=True))
        best = _keys(table["best_frame"], table["x"])
        for batch in self._batches():
            frame, x, y = (batch[name].to_numpy() for name in ("frame", "x", "y"))
            track = batch["track"].to_numpy()
            # Nearly all sightings are of no cell's best frame: told quickly by frame and x.
            for index in np.flatnonzero(np.isin(_keys(frame, x), best)).tolist():
                cell = cells.get((int(frame[index]), float(x[index]), float(y[index])))
                if cell is not None:
                    cell_of[track[index]] = cell
        return cell_of

    def _batches(self) -> Iterator[pa.RecordBatch]:
        self._file.seek(0)
        yield from pa.ipc.open_stream(self._file)

    def _add(self, track: int, frame: int, place: tuple[float, float], outline: list[int]) -> None:
        values = (track, frame, *place, outline)
        for column, value in zip(self._rows.values(), values, strict=True):
            column.append(value)

    def _number(self, track: Track, frame: int) -> int:
        # No two tracks begin at the same place of the same frame.
        born = track.frames[0], track.x[0], track.y[0]
        number, _ = self._numbers.get(born) or (self._next(), 0)
        self._numbers[born] = number, frame
        return number

    def _next(self) -> int:
        self._tracks += 1
        return self._tracks - 1

    def _flush(self, frame: int | None) -> None:
        if self._rows["frame"]:
            self._writer.write_batch(pa.RecordBatch.from_pydict(self._rows, schema=_SEEN))
            self._rows = {name: [] for name in _SEEN.names}
        if frame is not None:
            recent = {b: n for b, n in self._numbers.items() if n[1] > frame - _FORGOTTEN}
            self._numbers = recent


def _outline(contour: Contour, shrink: int) -> list[int]:
    simple = cv2.approxPolyDP(contour, _TOLERANCE, closed=True)
    points: list[int] = (simple.reshape(-1) * shrink).astype(np.int16).tolist()
    return points


def _keys(frame: NDArray[Any], x: NDArray[Any]) -> NDArray[np.int64]:
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32).astype(np.int64)
    return (frame.astype(np.int64) << 32) | bits
