"""Hand-drawn cells: discs with soft edges on a background, as exact as a test needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.outlines import Outlines
from pipeline.segment import Detections


@dataclass
class Picture:
    """One frame as the census takes it."""

    index: int
    pixels: np.ndarray
    time_s: float | None = None


class Film:
    """A recording in memory."""

    def __init__(self, frames):
        self.stack = frames
        self.height, self.width = frames[0].shape
        self.n_frames_stated = len(frames)

    def frames(self):
        for index, pixels in enumerate(self.stack):
            yield Picture(index, pixels)


def disc(shape, x, y, diameter):
    """Coverage 0–1 of a disc, area-true at its edge."""
    rows, columns = np.indices(shape)
    distance = np.hypot(columns - x, rows - y)
    return np.clip(diameter / 2 + 0.5 - distance, 0, 1)


def draw(shape, cells, *, level=160.0, depth=60.0, noise=1.0, seed=0, dtype=np.uint8):
    """Frame with a disc (x, y, diameter) for each cell; depth below (or, negative, above) level."""
    image = np.full(shape, level)
    for x, y, diameter in cells:
        image = image - depth * disc(shape, x, y, diameter)
    image += np.random.default_rng(seed).normal(0, noise, shape)
    return np.clip(np.rint(image), 0, np.iinfo(dtype).max).astype(dtype)


def detections(frame, points, *, area=400.0, blob=None, areas=None):
    """Detections at points (x, y), all alone and whole unless told otherwise."""
    points = np.asarray(points, float).reshape(-1, 2)
    number = len(points)
    size = np.full(number, area) if areas is None else np.asarray(areas, float)
    half = np.sqrt(size / np.pi)
    box = np.column_stack([points[:, 0] - half, points[:, 1] - half, 2 * half, 2 * half])
    return Detections(
        frame=frame,
        gain=1.0,
        x=points[:, 0].copy(),
        y=points[:, 1].copy(),
        area=size,
        solidity=np.ones(number),
        box=box.astype(np.int64),
        blob=np.arange(number) if blob is None else np.asarray(blob, np.int64),
        cut=np.zeros(number, bool),
        outlines=Outlines.of([np.zeros((1, 2), np.int32)] * number),
    )
