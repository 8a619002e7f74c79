"""Videos, decoded by OpenCV frame by frame."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.ahead import alone
from pipeline.recordings import limits
from pipeline.recordings.frame import Closing, Frame
from pipeline.recordings.luma import Luma, direct_luma

#: A container states its number of frames from duration and rate, so a little less is no cut.
_MISSING_SHARE = 0.02
_MISSING_FRAMES = 3
#: Each further thread of a decoder holds a few frames.
_MOST_THREADS = 4


class Video(Closing):
    """A video file.

    Parameters
    ----------
    path
        ``.avi``, ``.mp4``, ``.mkv``, ``.mov`` or anything else FFmpeg decodes.

    Raises
    ------
    RecordingError
        It is missing, empty, or no video.
    """

    bit_depth = 8

    def __init__(self, path: Path) -> None:
        limits.check_file(path)
        self.path = path
        self._luma: Luma | None = None
        self._shape: tuple[int, ...] = ()
        self._capture = open_capture(path)
        self._threads = decoder_threads(self._capture)
        if self._threads > 1:
            self._capture.release()
            self._capture = open_capture(path, self._threads)
        self._first = self._read() if self._capture.isOpened() else None
        if self._first is None:
            self._capture.release()
            raise limits.unreadable(path)
        self.height, self.width = self._first.shape
        limits.check_size(path, self.height, self.width)
        stated = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.n_frames_stated = int(stated) if 0 < stated < 1e9 else None
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.frame_rate_hz = float(rate) if 0 < rate < 1e6 else None
        self._take_luma()

    def _take_luma(self) -> None:
        """Go on with the luma plane itself where that is the gray picture: half the decoding."""
        assert self._first is not None
        other = open_capture(self.path, self._threads)
        found = direct_luma(self._capture, other, self._first)
        if found is None:
            other.release()
        else:
            self._luma, self._first = found
            self._shape = self._first.shape
            self._capture.release()
            self._capture = other

    def frames(self) -> Iterator[Frame]:
        """The frames in order.

        Raises
        ------
        RecordingError
            The file is cut off, or the size of its frames changes.
        """
        pixels, index, last_time = self._first, 0, 0.0
        self._first = None
        while pixels is not None:
            if pixels.shape != (self.height, self.width):
                raise limits.frame_size_changes(self.path, index)
            last_time = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            yield Frame(index, pixels, last_time)
            pixels = self._read()
            index += 1
        self._check_end(index)

    def frame(self, index: int) -> Frame:
        """One frame by its place; `frames` goes on after it.

        Raises
        ------
        RecordingError
            It cannot be read.
        """
        if int(self._capture.get(cv2.CAP_PROP_POS_FRAMES)) != index:
            self._capture.set(cv2.CAP_PROP_POS_FRAMES, index)
        pixels, self._first = self._read(), None
        if pixels is None or pixels.shape != (self.height, self.width):
            raise limits.truncated(self.path, index, self.n_frames_stated)
        return Frame(index, pixels, self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)

    def _read(self) -> NDArray[Any] | None:
        try:
            # With room given to it, the decoder need not ask the interpreter for any.
            room = np.empty(self._shape, np.uint8) if self._shape else None
            good, pixels = self._capture.read(room)
        except cv2.error:
            return None
        if not good or pixels is None or not pixels.size:
            return None
        if self._luma is not None:
            return self._luma.gray(np.asarray(pixels))
        if pixels.ndim == 3:
            # Gray video has equal channels; weighing them costs a third of the decoding.
            pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
        return np.asarray(pixels)

    def _check_end(self, found: int) -> None:
        stated = self.n_frames_stated
        if stated is None:
            return
        if found < stated - max(_MISSING_FRAMES, _MISSING_SHARE * stated):
            raise limits.truncated(self.path, found, stated)

    def close(self) -> None:
        """Let go of the file."""
        self._capture.release()


def open_capture(path: Path, threads: int = 1) -> cv2.VideoCapture:
    """A decoder with so many threads."""
    return cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, threads])


def decoder_threads(capture: cv2.VideoCapture) -> int:
    """Threads that a recording is best decoded with.

    One for most: recordings are decoded beside each other, and dividing the work costs two fifths
    more of it. FFV1 takes several times as long as all that follows, and is divided for nothing.
    """
    code = int(capture.get(cv2.CAP_PROP_FOURCC))
    costly = code > 0 and code.to_bytes(4, "little").upper() == b"FFV1"
    return min(os.cpu_count() or 1, _MOST_THREADS) if costly and alone() else 1
