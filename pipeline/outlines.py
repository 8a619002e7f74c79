"""Outlines of many things in two arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Outlines:
    """A sequence of outlines, each (m, 2) int32, x and y.

    Parameters
    ----------
    points
        (M, 2) int32: their pixels, one outline after the other.
    starts
        (n + 1,) int64: where each begins in ``points``, and the end.
    """

    points: NDArray[np.int32]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, contours: Sequence[NDArray[Any]]) -> Outlines:
        """From contours as OpenCV gives them, each (m, 1, 2) or (m, 2)."""
        starts = np.zeros(len(contours) + 1, np.int64)
        if not contours:
            return cls(np.zeros((0, 2), np.int32), starts)
        np.cumsum([len(contour) for contour in contours], out=starts[1:])
        points = np.concatenate([contour.reshape(-1, 2) for contour in contours])
        return cls(np.ascontiguousarray(points, np.int32), starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, index: int) -> NDArray[np.int32]:
        return self.points[self.starts[index] : self.starts[index + 1]]

    def __iter__(self) -> Iterator[NDArray[np.int32]]:
        return (self[index] for index in range(len(self)))
