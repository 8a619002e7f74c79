"""What every reader gives: gray frames in order, one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Frame:
    """One gray picture of a recording.

    Parameters
    ----------
    index
        Its place in the recording, from 0.
    pixels
        (H, W) uint8 or uint16.
    time_s
        When it was taken, as the file says; ``None`` where it does not.
    """

    index: int
    pixels: NDArray[Any]
    time_s: float | None = None


class Recording(Protocol):
    """A recording that is open; a context manager that closes it.

    Attributes
    ----------
    path
        The file or folder.
    height, width
        Of the first frame, pixels; all others have the same.
    bit_depth
        8 or 16.
    frame_rate_hz
        As the file says; ``None`` where it does not.
    n_frames_stated
        As the file says; ``None`` where it does not.
    """

    path: Path
    height: int
    width: int
    bit_depth: int
    frame_rate_hz: float | None
    n_frames_stated: int | None

    def frames(self) -> Iterator[Frame]:
        """The frames in order, each decoded when it is asked for."""

    def frame(self, index: int) -> Frame:
        """One frame by its place, from 0."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Closing:
    """What every reader has in common: a context manager that closes it."""

    def close(self) -> None:
        """Let go of the file; nothing to do where none stays open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def to_gray(pixels: NDArray[Any]) -> NDArray[Any]:
    """A picture of any kind as gray.

    Parameters
    ----------
    pixels
        (H, W) or (H, W, C) of integers, floats or booleans; 1, 2 (gray and alpha), 3 or 4 channels,
        red first. Alpha is ignored: a camera has none.

    Returns
    -------
    ndarray
        (H, W) uint8, or uint16 where 8 bits would lose something. Colour is weighted by
        ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B.

    Raises
    ------
    ValueError
        It is no picture.
    """
    if pixels.ndim == 3:
        pixels = _one_channel(pixels)
    if pixels.ndim != 2 or not pixels.size:
        raise ValueError(f"a picture has two dimensions, not the shape {pixels.shape}")
    if pixels.dtype in (np.uint8, np.uint16):
        return np.ascontiguousarray(pixels)
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * 255
    if pixels.dtype.kind in "iuf":
        return _to_16_bit(pixels)
    raise ValueError(f"pixels of the kind {pixels.dtype} cannot be read")


def _one_channel(pixels: NDArray[Any]) -> NDArray[Any]:
    channels = pixels.shape[2]
    if channels in (1, 2):
        return pixels[..., 0]
    if channels not in (3, 4):
        raise ValueError(f"a picture has 1 to 4 channels, not {channels}")
    gray = pixels[..., :3].astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.rint(gray).astype(pixels.dtype) if pixels.dtype.kind in "iu" else gray


def _to_16_bit(pixels: NDArray[Any]) -> NDArray[np.uint16]:
    """Wide integers are clipped; floats from 0 to 1 fill the range, others are clipped."""
    values = np.nan_to_num(pixels.astype(np.float64), nan=0.0, posinf=65535.0, neginf=0.0)
    if pixels.dtype.kind == "f" and values.max() <= 1:
        values = values * 65535
    return np.clip(np.rint(values), 0, 65535).astype(np.uint16)
