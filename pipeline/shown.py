"""Frames kept for the preview picture: with many cells, spread over the recording."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.outlines import Outlines
from pipeline.sightings import Sightings
from pipeline.views import Shot

Picture = tuple[int, NDArray[np.uint8], list[NDArray[np.int32]], list[NDArray[np.int32]]]


class Shown:
    """Keeps a few frames, replacing neighbours as the recording grows.

    Parameters
    ----------
    number
        Frames to keep.
    shrink
        Of the frames in detection.
    """

    def __init__(self, number: int, shrink: int) -> None:
        self._number = number
        self._shrink = shrink
        self._stride = 1
        self._kept: list[tuple[int, NDArray[Any], Outlines, NDArray[np.int64]]] = []
        self._offered = 0

    def offer(self, shot: Shot, numbers: NDArray[np.int64]) -> None:
        """Keep every ``stride``-th frame; when twice too many are kept, double the stride.

        Parameters
        ----------
        shot
            The frame.
        numbers
            Of the tracks of its detections; none where nothing is followed.
        """
        self._offered += 1
        if not self._number or self._offered % self._stride:
            return
        # Frames of the middle of a stride are seen with tracks before and after them.
        self._kept.append((shot.found.frame, shot.pixels, shot.found.outlines, numbers))
        if len(self._kept) > 2 * self._number:
            self._kept = self._kept[1::2]
            self._stride *= 2

    def pictures(self, sightings: Sightings) -> list[Picture]:
        """The frames with outlines and track lines, in pixels of the frame."""
        if not self._kept:
            return []
        best = sorted(self._kept, key=lambda kept: -len(kept[2]))[: self._number]
        shown = np.unique(np.concatenate([kept[3] for kept in best]))
        ways = sightings.ways(shown) if len(shown) else {}
        return [self._picture(*kept, ways) for kept in sorted(best, key=lambda kept: kept[0])]

    def _picture(
        self,
        index: int,
        pixels: NDArray[Any],
        outlines: Outlines,
        numbers: NDArray[np.int64],
        ways: dict[int, NDArray[np.float32]],
    ) -> Picture:
        drawn = [(outline * self._shrink).reshape(-1, 1, 2) for outline in outlines]
        lines = [
            np.rint(ways[number]).astype(np.int32).reshape(-1, 1, 2) for number in numbers.tolist()
        ]
        return index, _as_bytes(pixels), drawn, lines


def _as_bytes(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels.copy()
    low, high = np.percentile(pixels, [0.1, 99.9])
    scaled = (pixels - low) * (255 / max(high - low, 1.0))
    result: NDArray[np.uint8] = np.clip(scaled, 0, 255).astype(np.uint8)
    return result
