"""A folder or a glob of pictures, one file a frame, in the order of their numbers."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cellcensus.errors import RecordingError
from pipeline.recordings import limits
from pipeline.recordings.frame import Closing, Frame, to_gray

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".pgm")
_END_OF_JPEG = b"\xff\xd9"
#: Cameras may append a little after the end of a JPEG, bytes.
_TAIL = 4096
#: Two threads that keep and restore the error stream across each other would lose it.
_ONE_AT_A_TIME = Lock()


def natural_order(path: Path) -> list[tuple[int, int | str]]:
    """Sort key by which ``frame10`` comes after ``frame9``."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts]


class Pictures(Closing):
    """Picture files, one a frame.

    Parameters
    ----------
    path
        The folder or glob, for messages.
    files
        The pictures, in any order; files of other kinds are ignored.

    Raises
    ------
    RecordingError
        There is none, or the first cannot be read.
    """

    frame_rate_hz: float | None = None

    def __init__(self, path: Path, files: Sequence[Path]) -> None:
        self.path = path
        usable = (file for file in files if file.suffix.lower() in SUFFIXES)
        self.files = sorted(usable, key=natural_order)
        if not self.files:
            raise RecordingError(
                "there is no picture in the folder",
                code="missing_file",
                file=path.name,
                next_step=f"put pictures there ({', '.join(SUFFIXES)}) or correct the path",
            )
        first = _read(self.files[0])
        self.height, self.width = first.shape
        self.bit_depth = 8 * first.dtype.itemsize
        self.n_frames_stated: int | None = len(self.files)

    def frames(self) -> Iterator[Frame]:
        """The pictures in the order of their numbers.

        Raises
        ------
        RecordingError
            A picture cannot be read, or differs in size.
        """
        for index in range(len(self.files)):
            yield self.frame(index)

    def frame(self, index: int) -> Frame:
        """One picture by its place.

        Raises
        ------
        RecordingError
            It cannot be read, or differs in size.
        """
        file = self.files[index]
        pixels = _read(file)
        if pixels.shape != (self.height, self.width):
            raise limits.frame_size_changes(file, index)
        return Frame(index, pixels)


def _read(file: Path) -> NDArray[Any]:
    limits.check_file(file)
    try:
        with _silence():
            pixels = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        if "MAX_IMAGE_PIXELS" in str(error):
            raise limits.frame_too_large(file) from error
        raise limits.unreadable(file) from error
    if pixels is None or not _has_its_end(file):
        raise limits.unreadable(file)
    if pixels.ndim == 3 and pixels.shape[2] >= 3:
        pixels = pixels[..., [2, 1, 0]]  # OpenCV puts blue first
    try:
        gray = to_gray(np.asarray(pixels))
    except ValueError as error:
        raise limits.unreadable(file, str(error)) from error
    limits.check_size(file, *gray.shape)
    return gray


def _has_its_end(file: Path) -> bool:
    """Whether a JPEG is whole: the decoder fills what is missing with gray and says nothing."""
    if file.suffix.lower() not in (".jpg", ".jpeg"):
        return True
    with file.open("rb") as stream:
        stream.seek(-min(_TAIL, file.stat().st_size), os.SEEK_END)
        return _END_OF_JPEG in stream.read()


@contextmanager
def _silence() -> Iterator[None]:
    """Send the process's error stream nowhere: libpng and libjpeg write there by themselves."""
    with _ONE_AT_A_TIME:
        sys.stderr.flush()
        kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)
