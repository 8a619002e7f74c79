"""Frames → a recording in one of the formats that laboratories have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import cv2
import h5py
import numpy as np
import tifffile

from cellcensus.errors import UsageError
from pipeline.simulation.settings import SimulationSettings

CODECS = {"avi": "MJPG", "mp4": "mp4v", "mkv": "FFV1"}


class Writer(Protocol):
    """Takes the frames of one recording in order."""

    def write(self, frame: np.ndarray) -> None:
        """Add a frame, (H, W) uint8 or uint16."""


@contextmanager
def open_writer(folder: Path, name: str, settings: SimulationSettings) -> Iterator[Writer]:
    """A writer of ``folder/name.<format>``, or of the folder ``folder/name`` for images."""
    kinds: dict[str, Any] = {"tif": _Stack, "png": _Images, "rtdc": _Cytometry}
    writer = kinds.get(settings.format, _Video)(folder, name, settings)
    try:
        yield writer
    finally:
        writer.close()


def recording_name(name: str, settings: SimulationSettings) -> str:
    """How the recording of a specimen is written in the table, without its folder."""
    return name if settings.format == "png" else f"{name}.{settings.format}"


class _Video:
    def __init__(self, folder: Path, name: str, settings: SimulationSettings) -> None:
        code = cv2.VideoWriter.fourcc(*CODECS[settings.format])
        path = folder / recording_name(name, settings)
        size = (settings.width, settings.height)
        self.gray = settings.format != "mkv"
        self.file = cv2.VideoWriter(str(path), code, settings.frame_rate_hz, size, not self.gray)
        if not self.file.isOpened():
            message = f"OpenCV cannot write {CODECS[settings.format]} videos here"
            raise UsageError(message, file=path, next_step="Choose another format, such as tif.")

    def write(self, frame: np.ndarray) -> None:
        self.file.write(frame if self.gray else cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))

    def close(self) -> None:
        self.file.release()


class _Stack:
    def __init__(self, folder: Path, name: str, settings: SimulationSettings) -> None:
        self.file = tifffile.TiffWriter(folder / recording_name(name, settings))

    def write(self, frame: np.ndarray) -> None:
        self.file.write(frame, contiguous=True, photometric="minisblack")

    def close(self) -> None:
        self.file.close()


class _Images:
    def __init__(self, folder: Path, name: str, settings: SimulationSettings) -> None:
        self.folder, self.number = folder / name, 0
        self.folder.mkdir()

    def write(self, frame: np.ndarray) -> None:
        cv2.imwrite(str(self.folder / f"{self.number:05d}.png"), frame)
        self.number += 1

    def close(self) -> None:
        """Nothing is open."""


class _Cytometry:
    """An event file as deformability cytometers write it (HDF5, ``events/image``)."""

    def __init__(self, folder: Path, name: str, settings: SimulationSettings) -> None:
        self.settings, self.number = settings, 0
        self.file = h5py.File(folder / recording_name(name, settings), "w")
        shape = (settings.height, settings.width)
        self.images = self.file.create_dataset(
            "events/image", (0, *shape), np.uint8, maxshape=(None, *shape), chunks=(16, *shape),
            compression="gzip", compression_opts=1,
        )  # fmt: skip
        self.images.attrs.update(
            CLASS=np.bytes_("IMAGE"), IMAGE_SUBCLASS=np.bytes_("IMAGE_GRAYSCALE")
        )

    def write(self, frame: np.ndarray) -> None:
        self.images.resize(self.number + 1, axis=0)
        self.images[self.number] = frame
        self.number += 1

    def close(self) -> None:
        numbers = np.arange(self.number, dtype=np.float64)
        self.file["events/frame"] = numbers + 1
        self.file["events/time"] = numbers / self.settings.frame_rate_hz
        self.file.attrs.update(
            {
                "experiment:event count": self.number,
                "experiment:sample": "simulated",
                "imaging:frame rate": self.settings.frame_rate_hz,
                "imaging:pixel size": self.settings.pixel_size_um,
                "imaging:roi size x": self.settings.width,
                "imaging:roi size y": self.settings.height,
                "setup:channel width": 20.0,
            }
        )
        self.file.close()
