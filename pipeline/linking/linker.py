"""Detections → tracks, one frame at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.linking.flow import FlowField
from pipeline.linking.motion import Seen
from pipeline.linking.step import Scene, Taken, When, step
from pipeline.linking.track import TRACK, Tracks
from pipeline.segment import Detections

#: Rows of a new table of tracks.
_ROOM = 128


class Linker:
    """Links detections of successive frames.

    Parameters
    ----------
    flow
        How the liquid moves.
    shape
        Height and width of a frame.
    diameter
        Usual diameter of a cell, pixels.

    Attributes
    ----------
    tracks
        Table of `TRACK`; a row is used again once its track was let go.
    active, lost
        Rows of the tracks that go on, and of those that wait to be found again.
    """

    def __init__(self, flow: FlowField, shape: tuple[int, int], diameter: float) -> None:
        self.scene = Scene(flow, int(shape[0]), int(shape[1]), float(diameter))
        self.tracks: Tracks = np.zeros(_ROOM, TRACK)
        self.active = self.lost = np.zeros(0, np.int64)
        self._spare = np.arange(_ROOM, dtype=np.int64)
        self._number = 0
        self._first_frame: int | None = None
        self._last_frame = 0

    def step(self, found: Detections) -> Taken:
        """Take the detections of the next frame.

        The rows of the tracks that ended stay as they are until `let_go`.
        """
        if self._first_frame is None:
            self._first_frame = found.frame
        when = When(found.frame, self._first_frame, max(found.frame - self._last_frame, 1))
        self._last_frame = found.frame
        self._make_room(len(found))
        seen = Seen(found.x, found.y, found.area, found.cut, found.touching, found.blob, found.box)
        slots = (self.active, self.lost, self._spare)
        taken = step(self.tracks, slots, seen, self.scene, when, self._number)
        self._number += taken.begun
        self._spare = self._spare[taken.begun :]
        self.active, self.lost = taken.active, taken.lost
        return taken

    def let_go(self, slots: NDArray[np.int64]) -> None:
        """Use the rows of finished tracks for others: at once, while they are at hand."""
        if len(slots):
            self._spare = np.concatenate([slots, self._spare])

    def finish(self) -> NDArray[np.int64]:
        """Rows of the tracks still open at the end of the recording."""
        rest = np.concatenate([self.active, self.lost])
        self.active = self.lost = rest[:0]
        return rest

    def _make_room(self, number: int) -> None:
        if len(self._spare) < number:
            more = max(len(self.tracks), number)
            rows = np.arange(len(self.tracks), len(self.tracks) + more, dtype=np.int64)
            self.tracks = np.concatenate([self.tracks, np.zeros(more, TRACK)])
            self._spare = np.concatenate([self._spare, rows])
