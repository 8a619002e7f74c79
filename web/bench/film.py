"""Single frames of a recording, decoded when somebody looks at them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cellcensus.errors import CellcensusError

if TYPE_CHECKING:
    from pipeline.recordings import Recording

#: Widest picture that is sent, pixels; wider frames are made smaller.
WIDEST = 1280
_QUALITY = 82
_OPEN, _KEPT = 4, 64
#: Somebody waits at most so long for their turn, seconds.
_PATIENCE = 5.0


class BusyError(CellcensusError):
    """Others are looking at so many frames that this one has to wait."""


@dataclass
class Films:
    """The recordings that are open, and the frames that were shown last.

    One frame is decoded at a time: the processor is needed for the work itself, and decoders are
    not made for several threads.
    """

    _films: OrderedDict[tuple[Path, str], Recording] = field(default_factory=OrderedDict)
    _frames: OrderedDict[tuple[Path, str, int], bytes] = field(default_factory=OrderedDict)
    _turn: Lock = field(default_factory=Lock)

    def frame(self, folder: Path, recording: str, index: int) -> bytes:
        """One frame as JPEG.

        Raises
        ------
        RecordingError
            The recording is not there, or has no such frame.
        BusyError
            Too many people look at frames at the same time.
        """
        key = (folder, recording, index)
        if not self._turn.acquire(timeout=_PATIENCE):
            raise BusyError("the recording is busy", next_step="try again in a moment")
        try:
            found = self._frames.get(key)
            if found is None:
                found = self._frames[key] = _jpeg(
                    self._opened(folder, recording).frame(index).pixels
                )
                if len(self._frames) > _KEPT:
                    self._frames.popitem(last=False)
            self._frames.move_to_end(key)
            return found
        finally:
            self._turn.release()

    def size(self, folder: Path, recording: str) -> tuple[int, int]:
        """Width and height of its frames, pixels.

        Raises
        ------
        RecordingError
            The recording is not there.
        BusyError
            Too many people look at frames at the same time.
        """
        if not self._turn.acquire(timeout=_PATIENCE):
            raise BusyError("the recording is busy", next_step="try again in a moment")
        try:
            film = self._opened(folder, recording)
            return film.width, film.height
        finally:
            self._turn.release()

    def _opened(self, folder: Path, recording: str) -> Recording:
        key = (folder, recording)
        film = self._films.get(key)
        if film is None:
            from pipeline.recordings import open_recording  # noqa: PLC0415

            film = self._films[key] = open_recording(recording, folder=folder)
            if len(self._films) > _OPEN:
                _, oldest = self._films.popitem(last=False)
                oldest.__exit__(None, None, None)
        self._films.move_to_end(key)
        return film

    def close(self) -> None:
        """Let go of all files."""
        while self._films:
            self._films.popitem()[1].__exit__(None, None, None)
        self._frames.clear()


def _jpeg(pixels: NDArray[Any]) -> bytes:
    import cv2  # noqa: PLC0415  loads shared libraries: only where a frame is shown

    shown = _as_bytes(pixels)
    height, width = shown.shape
    if width > WIDEST:
        size = (WIDEST, max(1, round(height * WIDEST / width)))
        shown = np.asarray(cv2.resize(shown, size, interpolation=cv2.INTER_AREA), np.uint8)
    done, coded = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise CellcensusError("A frame could not be encoded.")
    return coded.tobytes()


def _as_bytes(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels
    # Cameras of 12 bits fill a sixteenth of 16: shown as they are, their frames would be black.
    low, high = np.percentile(pixels, [0.1, 99.9])
    scaled = (pixels.astype(np.float32) - low) * (255 / max(float(high - low), 1.0))
    return np.clip(scaled, 0, 255).astype(np.uint8)
