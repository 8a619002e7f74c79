"""Frames → every cell once, in one pass and bounded memory.

A first stretch of frames is held back to learn the background, how cells look and how the liquid
flows. From then on each frame is segmented, linked and forgotten; of a cell only the best few
views stay until its track ends and they are drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from cellcensus.errors import RecordingError
from cellcensus.progress import Progress, Silent
from cellcensus.settings import IngestSettings
from cellcensus.study import Acquisition, CellHints, Mode
from pipeline.ahead import Helper, alone
from pipeline.figures import Figures
from pipeline.grounds import learn_ground
from pipeline.optics import diameter_range_px
from pipeline.rows import Rows
from pipeline.sightings import Sightings
from pipeline.spool import Spool
from pipeline.tracing import Desk, EachFrame, OverFrames, Tracing

#: Frames held back to learn from, at most.
_HELD_BACK = 200
#: Room for frames that are decoded ahead, pixels.
_AHEAD_BYTES = 16e6
#: Frames to be written down and groups of cells to be drawn that may wait.
_ASIDE = 64


class FrameLike(Protocol):
    """One frame of a recording."""

    index: int
    pixels: NDArray[Any]
    time_s: float | None


class RecordingLike(Protocol):
    """What is needed of a recording."""

    height: int
    width: int
    n_frames_stated: int | None

    def frames(self) -> Iterator[Any]:
        """The frames in order."""


@dataclass
class Census:
    """Every cell of a recording.

    Parameters
    ----------
    table
        Columns of equal length, one row a unique cell; names and units in ``docs/design.md``.
    crops
        (N, V, S, S) uint8, on disk until they are looked at.
    figures
        Figures of the recording; NaN where nothing can be said.
    preview
        (frame index, (H, W) uint8, outlines in pixels, track lines in pixels).
    tracks
        (N,) number of the track that each cell was.
    """

    table: dict[str, NDArray[Any]]
    crops: NDArray[np.uint8]
    figures: dict[str, float]
    preview: list[tuple[int, NDArray[np.uint8], list[NDArray[np.int32]], list[NDArray[np.int32]]]]
    tracks: NDArray[np.int64]
    _folder: TemporaryDirectory[str] | None = None


def window_um(hints: CellHints, settings: IngestSettings) -> float:
    """Side of a stored picture, µm: of the settings, the study's largest cell, or 20 µm.

    It never depends on one recording: size tells classes apart, so a study has one window.
    """
    if settings.window_um is not None:
        return settings.window_um
    return float(hints.diameter_um[1]) if hints.diameter_um else 20.0


def take_census(
    recording: RecordingLike,
    *,
    acquisition: Acquisition,
    hints: CellHints,
    settings: IngestSettings,
    progress: Progress | None = None,
    sightings: Sightings | None = None,
    crops_file: Path | None = None,
) -> Census:
    """Find every cell of a recording once.

    Parameters
    ----------
    recording
        Open; its frames are read once, in order.
    acquisition
        Mode, pixel size and frame rate.
    hints
        What the study says of its cells.
    settings
        Of the stage.
    progress
        Told of every frame.
    sightings
        Told of everything that was seen.
    crops_file
        Where the pictures are written, as ``.npy``; by default to a folder that goes with the
        census.

    Returns
    -------
    Census

    Raises
    ------
    RecordingError
        The recording has no frame.
    """
    progress = progress or Silent()
    progress.start("frames", float(recording.n_frames_stated or 0))
    own = TemporaryDirectory(prefix="cellcensus-") if crops_file is None else None
    target = Path(own.name) / "crops.npy" if own else Path(crops_file or "")
    shape = (settings.views, settings.crop_pixels, settings.crop_pixels)
    with _one_thread(), closing(Spool(target.parent, shape)) as spool:
        seen = sightings or Sightings()
        tracing = _follow(recording, _Study(acquisition, hints, settings, spool, seen), progress)
        rows = tracing.rows
        progress.finish(f"{len(rows)} cells")
        order = rows.order()
        table, crops = rows.table(order), rows.crops(order, target)
    values = _figures(tracing, table, window_um(hints, settings), settings)
    pictures = tracing.preview.pictures(seen)
    return Census(table, crops, values, pictures, rows.tracks(order), _folder=own)


@dataclass(frozen=True)
class _Study:
    """What is the same for every frame."""

    acquisition: Acquisition
    hints: CellHints
    settings: IngestSettings
    spool: Spool
    sightings: Sightings


def _frames_ahead(recording: RecordingLike) -> int:
    """Frames to decode ahead."""
    room = int(np.clip(_AHEAD_BYTES / (recording.width * recording.height), 2, 16))
    return room if alone() else 0


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let OpenCV work in this thread: the operations are too small to be worth dividing."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _follow(recording: RecordingLike, study: _Study, progress: Progress) -> Tracing:
    helper = Helper(recording.frames(), _frames_ahead(recording), _ASIDE)
    with closing(helper):
        stream = iter(helper)
        held = _hold_back(stream, study.settings)
        if not held:
            raise RecordingError("The recording holds no frame", code="no_frames")
        tracing = _tracing(held, study, helper)
        for frame in _chain(held, stream):
            tracing.take(frame)
            progress.advance()
        tracing.finish()
    return tracing


def _hold_back(stream: Iterator[Any], settings: IngestSettings) -> list[Any]:
    held: list[Any] = []
    room = settings.buffer_megabytes * 1e6
    for frame in stream:
        held.append(frame)
        room -= frame.pixels.nbytes
        if len(held) >= _HELD_BACK or room < frame.pixels.nbytes:
            break
    return held


def _chain(held: list[Any], stream: Iterable[Any]) -> Iterator[Any]:
    """The frames held back, each let go as it is given out, then the others."""
    held.reverse()
    while held:
        yield held.pop()
    yield from stream


def _tracing(held: list[Any], study: _Study, helper: Helper[Any]) -> Tracing:
    acquisition, hints, settings = study.acquisition, study.hints, study.settings
    sizes = diameter_range_px(acquisition, hints, settings)
    ground = learn_ground(held, acquisition.mode, hints, settings, sizes)
    window_px = window_um(hints, settings) / acquisition.pixel_size_um
    shape = held[0].pixels.shape
    desk = Desk(
        ground=ground,
        rows=Rows(acquisition, settings, ground.optics.shrink, window_px, study.spool),
        figures=Figures(ground, acquisition, shape),
        settings=settings,
        shape=shape,
        helper=helper,
        sightings=study.sightings,
    )
    return OverFrames(desk) if acquisition.mode is Mode.FLOW else EachFrame(desk)


def _figures(
    tracing: Tracing, table: dict[str, NDArray[Any]], window: float, settings: IngestSettings
) -> dict[str, float]:
    values = tracing.figures.summary(table)
    values["window_um"] = window
    values["full_scale"] = settings.full_scale
    if np.isfinite(values["diameter_um_95"]):
        values["window_share"] = values["diameter_um_95"] / window
    return values
