"""Frames kept for the preview picture: with many cells, spread over the recording."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.linking import Track
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
        self._kept: list[tuple[int, NDArray[Any], list[Any], list[Track]]] = []
        self._offered = 0

    def offer(self, shot: Shot, owners: Sequence[Track]) -> None:
        """Keep every ``stride``-th frame; when twice too many are kept, double the stride."""
        self._offered += 1
        if not self._number or self._offered % self._stride:
            return
        # Frames of the middle of a stride are seen with tracks before and after them.
        self._kept.append((shot.index, shot.pixels, list(shot.found.contours), list(owners)))
        if len(self._kept) > 2 * self._number:
            self._kept = self._kept[1::2]
            self._stride *= 2

    def pictures(self) -> list[Picture]:
        """The frames with outlines and track lines, in pixels of the frame."""
        if not self._kept:
            return []
        best = sorted(self._kept, key=lambda kept: -len(kept[2]))[: self._number]
        return [self._picture(*kept) for kept in sorted(best, key=lambda kept: kept[0])]

    def _picture(
        self, index: int, pixels: NDArray[Any], contours: list[Any], owners: list[Track]
    ) -> Picture:
        outlines = [contour * self._shrink for contour in contours]
        lines = [
            np.rint(np.column_stack([owner.x, owner.y])).astype(np.int32).reshape(-1, 1, 2)
            for owner in owners
        ]
        return index, _as_bytes(pixels), outlines, lines


def _as_bytes(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels.copy()
    low, high = np.percentile(pixels, [0.1, 99.9])
    scaled = (pixels - low) * (255 / max(high - low, 1.0))
    result: NDArray[np.uint8] = np.clip(scaled, 0, 255).astype(np.uint8)
    return result
