"""Compile the kernels before the first recording is read.

Usage::

    python -m pipeline.warm

Takes about a minute once for a machine; what is compiled already is only loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cellcensus.settings import IngestSettings
from cellcensus.study import Acquisition, CellHints, Mode, Polarity
from pipeline.census import take_census

_HEIGHT, _WIDTH, _FRAMES = 96, 192, 40


@dataclass(frozen=True)
class _Frame:
    index: int
    pixels: NDArray[Any]
    time_s: float | None = None


class _Film:
    """A made-up recording: discs that flow past, two of them touching."""

    height, width = _HEIGHT, _WIDTH
    n_frames_stated: int | None = _FRAMES

    def __init__(self, dtype: type) -> None:
        self._dtype = dtype

    def frames(self) -> Iterator[_Frame]:
        """The frames in order."""
        scale = 1 if self._dtype is np.uint8 else 200
        for index in range(_FRAMES):
            picture = np.full((_HEIGHT, _WIDTH), 160.0)
            for start, lane in ((0, 24), (20, 30), (-60, 70), (-200, 48), (-380, 24), (-500, 66)):
                cv2.circle(picture, (start + 16 * index, lane), 11, 90.0, -1)
            noise = np.random.default_rng(index).normal(0, 1, picture.shape)
            yield _Frame(index, np.rint((picture + noise) * scale).astype(self._dtype))


def warm() -> int:
    """Take the census of two small films, of 8 and of 16 bits; how many cells they show."""
    cells = 0
    for dtype in (np.uint8, np.uint16):
        census = take_census(
            _Film(dtype),
            acquisition=Acquisition(Mode.FLOW, 0.5, 50.0),
            hints=CellHints((6.0, 20.0), Polarity.DARK),
            settings=IngestSettings(),
        )
        cells += len(census.crops)
    return cells


if __name__ == "__main__":
    warm()
