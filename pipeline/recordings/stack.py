"""Multi-page TIFF, page by page."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import tifffile

from pipeline.recordings import limits
from pipeline.recordings.frame import Closing, Frame, to_gray

_LOGGER = logging.getLogger("tifffile")
_LOGGER.propagate = False


class _Complaints(logging.Handler):
    """Keeps what tifffile logs: it raises nothing when the chain of pages breaks."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())

    def __enter__(self) -> Self:
        _LOGGER.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        _LOGGER.removeHandler(self)


class Stack(Closing):
    """A TIFF file of one or more pages, 8 or 16 bit, gray or colour.

    Parameters
    ----------
    path
        ``.tif`` or ``.tiff``.

    Raises
    ------
    RecordingError
        It is missing, empty, or no TIFF.
    """

    frame_rate_hz: float | None = None

    def __init__(self, path: Path) -> None:
        limits.check_file(path)
        self.path = path
        try:
            with _Complaints() as complaints:
                self._file = tifffile.TiffFile(path)
                pages = len(self._file.pages)
            page = self._file.pages[0]
            self.n_frames_stated: int | None = pages
            self.height, self.width = int(page.imagelength), int(page.imagewidth)
            self.bit_depth = 8 if page.dtype is not None and page.dtype.itemsize == 1 else 16
        except Exception as error:  # tifffile raises whatever a damaged file makes it stumble over
            raise limits.unreadable(path) from error
        if any("page offset" in complaint for complaint in complaints.heard):
            self._file.close()
            raise limits.truncated(path, pages, None)
        limits.check_size(path, self.height, self.width)

    def frames(self) -> Iterator[Frame]:
        """The pages in order.

        Raises
        ------
        RecordingError
            A page cannot be read, or differs in size.
        """
        for index in range(self.n_frames_stated or 0):
            yield self.frame(index)

    def frame(self, index: int) -> Frame:
        """One page by its place.

        Raises
        ------
        RecordingError
            It cannot be read, or differs in size.
        """
        try:
            page = self._file.pages[index]
            shape = (int(page.imagelength), int(page.imagewidth))
            # The size is known before the pixels are: a false one must not ask for memory.
            same = shape == (self.height, self.width)
            pixels = to_gray(page.asarray()) if same else None
        except Exception as error:
            raise limits.truncated(self.path, index, self.n_frames_stated) from error
        if pixels is None or pixels.shape != (self.height, self.width):
            raise limits.frame_size_changes(self.path, index)
        return Frame(index, pixels)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
