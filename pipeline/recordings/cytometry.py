"""``.rtdc``: HDF5 files of deformability cytometry, one event a frame.

Layout as in dclab's documentation of the RT-DC file format: ``/events/image`` holds (N, H, W)
uint8; ``/events/image_bg``, where present, the background of each event.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from pipeline.recordings import limits
from pipeline.recordings.frame import Closing, Frame, to_gray

with contextlib.suppress(ImportError):  # its import registers the compressions such files use
    import hdf5plugin  # noqa: F401

#: The background after division by that of the event: middle of the range of 8 bits.
_LEVEL = 128.0


class Cytometry(Closing):
    """Events of an RT-DC measurement.

    Where the file holds each event's background, the picture is divided by it and scaled to a
    background of 128, which takes out what is fixed in the channel.

    Parameters
    ----------
    path
        ``.rtdc`` or ``.h5``.

    Raises
    ------
    RecordingError
        It is missing, empty, no HDF5 file, or holds no pictures.
    """

    def __init__(self, path: Path) -> None:
        limits.check_file(path)
        self.path = path
        try:
            self._file = h5py.File(path, "r")
            self._images = self._file["events/image"]
            count, self.height, self.width = (int(size) for size in self._images.shape[:3])
            self._backgrounds = self._file["events"].get("image_bg")
            rate = self._file.attrs.get("imaging:frame rate")
            self.frame_rate_hz = float(rate) if rate else None
        except Exception as error:  # h5py raises whatever a damaged file makes it stumble over
            raise limits.unreadable(path, "no pictures under events/image") from error
        limits.check_size(path, self.height, self.width)
        self.n_frames_stated: int | None = count
        # Divided by its background, an event is 8 bits whatever it was.
        flat = self._backgrounds is not None
        self.bit_depth = 8 if flat or self._images.dtype.itemsize == 1 else 16

    def frames(self) -> Iterator[Frame]:
        """The events in order.

        Raises
        ------
        RecordingError
            An event cannot be read.
        """
        for index in range(self.n_frames_stated or 0):
            yield self.frame(index)

    def frame(self, index: int) -> Frame:
        """One event by its place.

        Raises
        ------
        RecordingError
            It cannot be read.
        """
        try:
            pixels = to_gray(np.asarray(self._images[index]))
            if self._backgrounds is not None:
                background = np.asarray(self._backgrounds[index], np.float32)
                flat = pixels.astype(np.float32) / np.maximum(background, 1) * _LEVEL
                pixels = np.clip(np.rint(flat), 0, 255).astype(np.uint8)
        except Exception as error:
            raise limits.truncated(self.path, index, self.n_frames_stated) from error
        return Frame(index, pixels)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
