"""Where every cell was seen, frame by frame, written as the frames go by.

Rows go to a file without a name while the census runs, so that memory does not grow with the
recording. Which tracks are cells is known only at its end.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.kernels.simple import simplify
from pipeline.segment import Detections
from pipeline.tracks import NOT_COUNTED, SCHEMA

#: Rows kept in memory before they are written.
_CHUNK = 20_000
#: Largest distance between an outline and what is kept of it, pixels of the shrunk frame.
_TOLERANCE = 0.6

_SEEN = pa.schema([("track", pa.int32()), *list(SCHEMA)[1:]])

#: Track number, frame, x, y, values of the outline: one array each for the rows of a frame.
_Rows = tuple[
    NDArray[np.int32],
    NDArray[np.int32],
    NDArray[np.float32],
    NDArray[np.float32],
    NDArray[np.int32],
]


class Sightings:
    """Collects sightings during one census and publishes them beside its cells."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as this object
        self._writer: pa.RecordBatchWriter | None = pa.ipc.new_stream(self._file, _SEEN)
        self._rows: list[_Rows] = []
        self._outlines: list[NDArray[np.int16]] = []
        self._waiting = 0
        self._tracks = 0

    def see(self, found: Detections, shrink: int, numbers: NDArray[np.int64]) -> None:
        """Write down what was found in a frame.

        Parameters
        ----------
        found
            Its detections.
        shrink
            Of the frame in detection.
        numbers
            (n,) number of the track of each.
        """
        outlines = found.outlines
        values, sizes = simplify(outlines.points, outlines.starts, _TOLERANCE, shrink)
        self._outlines.append(values)
        self._add(found.frame, numbers, found.x, found.y, sizes)

    def see_hidden(
        self, frame: int, numbers: NDArray[np.int64], x: NDArray[np.float64], y: NDArray[np.float64]
    ) -> None:
        """Write down the tracks that are inside the blob of another, and where."""
        if len(numbers):
            self._add(frame, numbers, x, y, np.zeros(len(numbers), np.int32))

    def ways(self, numbers: NDArray[np.int64]) -> dict[int, NDArray[np.float32]]:
        """Places of some tracks in the order of the frames, each (k, 2); no more is to be seen."""
        known: dict[int, list[NDArray[np.float32]]] = {int(number): [] for number in numbers}
        for batch in self._batches():
            track = batch["track"].to_numpy()
            rows = np.flatnonzero(np.isin(track, numbers))
            place = np.column_stack([batch[name].to_numpy()[rows] for name in ("x", "y")])
            for number in np.unique(track[rows]).tolist():
                known[number].append(place[track[rows] == number])
        empty = np.zeros((0, 2), np.float32)
        return {number: np.concatenate([empty, *parts]) for number, parts in known.items()}

    def write(self, path: Path, tracks: NDArray[np.int64]) -> None:
        """Write ``tracks.parquet``; to be called once, at the end.

        Parameters
        ----------
        path
            Of the file.
        tracks
            (N,) number of the track that each cell was, by ``cell_id``.
        """
        cell_of = np.full(max(self._tracks, 1), NOT_COUNTED, np.int32)
        cell_of[tracks] = np.arange(len(tracks))
        with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
            for batch in self._batches():
                cell = pa.array(cell_of[batch["track"].to_numpy()], pa.int32())
                kept = [batch[name] for name in SCHEMA.names[1:]]
                writer.write_table(pa.Table.from_arrays([cell, *kept], schema=SCHEMA))
        self._file.close()

    def _add(
        self,
        frame: int,
        numbers: NDArray[np.int64],
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        sizes: NDArray[np.int32],
    ) -> None:
        if len(numbers):
            self._tracks = max(self._tracks, int(numbers.max()) + 1)
        frames = np.full(len(numbers), frame, np.int32)
        columns = numbers.astype(np.int32), frames, x.astype(np.float32), y.astype(np.float32)
        self._rows.append((*columns, sizes))
        self._waiting += len(numbers)
        if self._waiting >= _CHUNK:
            self._flush()

    def _batches(self) -> Iterator[pa.RecordBatch]:
        if self._writer is not None:
            self._flush()
            self._writer.close()
            self._writer = None
        self._file.seek(0)
        yield from pa.ipc.open_stream(self._file)

    def _flush(self) -> None:
        if not self._waiting or self._writer is None:
            return
        track, frame, x, y, sizes = (
            np.concatenate(parts) for parts in zip(*self._rows, strict=True)
        )
        offsets = np.zeros(len(sizes) + 1, np.int32)
        np.cumsum(sizes, out=offsets[1:])
        outline = pa.ListArray.from_arrays(offsets, pa.array(np.concatenate(self._outlines)))
        columns = [*(pa.array(column) for column in (track, frame, x, y)), outline]
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=_SEEN))
        self._rows, self._outlines, self._waiting = [], [], 0
