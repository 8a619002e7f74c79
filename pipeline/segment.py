"""One frame → the things in it that could be cells.

Threshold against two bounds made once from background and noise, contours, and cheap moments of
each contour. Everything costly waits until it is known which pictures of a cell are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cellcensus.study import Polarity
from pipeline.background import Background, weighted
from pipeline.optics import Optics, blur, shrunk
from pipeline.split import split_contour

Contour = NDArray[Any]

#: New bounds when the gain has moved by this share of the threshold.
_SAME_GAIN = 0.12
#: Outlines above this multiple of the smallest cell need no second measurement of their size.
_CLEARLY_LARGE = 2.6
#: Where a small thing ends: at this share of the contrast of its darkest tenth.
_CORE = 0.4
#: The slightest cell blocks this share of the light that a usual one does: a third of its
#: diameter, and not much paler.
_SLIGHT = 0.12
#: Fewer whole cells than this say nothing of how small cells are.
_ENOUGH_CELLS = 20


@dataclass(slots=True)
class Detections:
    """What was found in one frame; arrays of shape (n,).

    Parameters
    ----------
    frame
        Index of the frame.
    gain
        Brightness of the frame over the background.
    x, y
        Centroid, pixels of the frame, float64.
    area
        Pixels², holes filled, float64.
    solidity
        Area over the area of the convex hull.
    box
        (n, 4) int: left, top, width, height in pixels of the frame.
    blob
        Number of the connected thing each came from: equal where touching cells were split.
    cut
        Whether the border of the picture cuts it; x, y and area are then those of the disc that
        shows the same part, so its centre may lie outside.
    contours
        Outlines in pixels of the shrunk frame, each (m, 1, 2) int32.
    touching
        Whether it was cut out of a blob that holds several.
    """

    frame: int
    gain: float
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    area: NDArray[np.float64]
    solidity: NDArray[np.float64]
    box: NDArray[np.int64]
    blob: NDArray[np.int64]
    cut: NDArray[np.bool_]
    contours: list[Contour] = field(default_factory=list)

    touching: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        # Cut out of a thing that holds several.
        counts = np.bincount(self.blob) if len(self.blob) else np.zeros(1, np.int64)
        self.touching = counts[self.blob] > 1

    def __len__(self) -> int:
        return len(self.x)


class Segmenter:
    """Finds detections in frames of one recording."""

    def __init__(self, background: Background, optics: Optics, dtype: np.dtype[Any]) -> None:
        self.optics = optics
        self._kind = cv2.CV_8U if dtype == np.uint8 else cv2.CV_16U
        self._kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
        smallest = optics.diameter_px[0] / optics.shrink
        self.smallest_area = np.pi / 4 * smallest**2
        # The foot of a blob is a few pixels wide however small it is.
        self._core_area = np.pi / 4 * (smallest + 2) ** 2
        #: Diameter below which a piece of a blob is no cell; raised once whole cells were seen.
        self.smallest_piece = smallest
        self.use(background)

    def use(self, background: Background) -> None:
        """Take a new state of the background."""
        self.background = background
        self._image = shrunk(background.image, self.optics.shrink)
        self._gain = float("nan")

    def _bounds(self, gain: float) -> tuple[NDArray[Any], NDArray[Any]]:
        """Lowest and highest grey value of what is bare, of every pixel."""
        tolerance = _SAME_GAIN * self.optics.low / max(self.background.level, 1.0)
        if not abs(gain - self._gain) < tolerance:
            self._gain = gain
            # Just under half a grey: what is stored is rounded, so the bounds are the least whole
            # number above and the greatest below.
            reach = self.optics.low - 0.4999
            self._low = cv2.addWeighted(self._image, gain, self._image, 0, -reach, dtype=self._kind)
            self._high = cv2.addWeighted(self._image, gain, self._image, 0, reach, dtype=self._kind)
        return self._low, self._high

    def mask(self, small: NDArray[Any], gain: float) -> NDArray[Any]:
        """Pixels off the background, 255 or 0, of a shrunk and blurred frame."""
        low, high = self._bounds(gain)
        if self.optics.polarity is Polarity.DARK:
            off = cv2.compare(small, low, cv2.CMP_LT)
        elif self.optics.polarity is Polarity.BRIGHT:
            off = cv2.compare(small, high, cv2.CMP_GT)
        else:
            off = cv2.bitwise_not(cv2.inRange(small, low, high))
        # Gaps of one pixel in faint cytoplasm.
        return cv2.morphologyEx(off, cv2.MORPH_CLOSE, self._kernel, dst=off)

    def detect(self, frame: NDArray[Any], index: int) -> Detections:
        """Find what could be cells.

        Parameters
        ----------
        frame
            (H, W) uint8 or uint16.
        index
            Of the frame.
        """
        gain = self.background.gain(frame)
        small = blur(shrunk(frame, self.optics.shrink))
        mask = self.mask(small, gain)
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        return self._measure(contours, small, gain, index)

    def learn_sizes(self, frames: Iterable[NDArray[Any]]) -> None:
        """See how small whole single cells of this recording are: no piece of a blob is smaller.

        Parameters
        ----------
        frames
            A few (H, W) frames.
        """
        found = [self.detect(frame, 0) for frame in frames]
        single = [one.area[(one.solidity > 0.93) & ~one.cut & ~one.touching] for one in found]
        areas = np.concatenate([np.empty(0), *single])
        if areas.size >= _ENOUGH_CELLS:
            small = float(np.sqrt(4 * np.percentile(areas, 5) / np.pi)) / self.optics.shrink
            self.smallest_piece = max(self.smallest_piece, small)

    def _shortest(self) -> float:
        # A disc of diameter d has an outline of about 2.8 d pixels: half of it is a safe gate.
        return max(3.0, 1.4 * self.optics.diameter_px[0] / self.optics.shrink)

    def _measure(
        self, contours: Sequence[Contour], small: NDArray[Any], gain: float, index: int
    ) -> Detections:
        kept: list[Contour] = []
        rows: list[tuple[float, ...]] = []
        shortest = self._shortest()
        for blob, contour in enumerate(contours):
            if len(contour) < shortest:
                continue
            x, y, area = _moments(contour)
            if area < self.smallest_area:
                continue
            box = cv2.boundingRect(contour)
            if not self._is_thing(box, area, small, gain):
                continue
            solidity = _solidity(contour, area)
            pieces = split_contour(contour, area, solidity, self.smallest_piece)
            if len(pieces) == 1:
                kept.append(contour)
                rows.append((x, y, area, solidity, *box, blob))
                continue
            for piece in pieces:
                kept.append(piece)
                rows.append((*_moments(piece), solidity, *cv2.boundingRect(piece), blob))
        return self._table(rows, kept, gain, index)

    def _is_thing(self, box: Sequence[int], area: float, small: NDArray[Any], gain: float) -> bool:
        """Whether an outline holds enough contrast, and is as large as a cell at half of it."""
        left, top, width, height = box
        raw = small[top : top + height, left : left + width]
        if area > _CLEARLY_LARGE * self._core_area:
            return self._stands_out(raw, self._image[top + height // 2, left + width // 2] * gain)
        bare = self._image[top : top + height, left : left + width]
        sign = -1.0 if self.optics.polarity is Polarity.DARK else 1.0
        contrast = weighted(raw, sign, bare, -sign * gain)
        if self.optics.polarity is Polarity.BOTH:
            contrast = np.abs(contrast)
        if contrast.max() < self.optics.high:
            return False
        hidden = _hidden_factor((left, top, width, height), small.shape)
        return self._is_large_enough(contrast, area, hidden)

    def _stands_out(self, part: NDArray[Any], bare: float) -> bool:
        below = bare - part.min() if self.optics.polarity is not Polarity.BRIGHT else 0.0
        above = part.max() - bare if self.optics.polarity is not Polarity.DARK else 0.0
        return bool(max(below, above) >= self.optics.high)

    def _is_large_enough(self, contrast: NDArray[np.float32], area: float, hidden: float) -> bool:
        """Measure a small thing by what does not depend on the threshold.

        The threshold lies on the foot of a small soft blob, which makes it look much larger than
        it is. So it is measured where it falls to a share of its own contrast; and by the light it
        blocks in all, which no blur changes: below the resolution only that tells size.
        """
        order = int(0.1 * area)
        typical = np.partition(contrast, contrast.size - 1 - order, axis=None)[-1 - order]
        if hidden * np.count_nonzero(contrast > _CORE * typical) < self.smallest_area:
            return False
        mass = float(np.maximum(contrast, 0).sum())
        return not hidden * mass < _SLIGHT * self.optics.mass

    def _table(
        self, rows: list[tuple[float, ...]], contours: list[Contour], gain: float, index: int
    ) -> Detections:
        table = np.array(rows, float).reshape(-1, 9)
        scale = self.optics.shrink
        # The centre of shrunk pixel i lies at s·i + (s − 1)/2 of the frame.
        offset = (scale - 1) / 2
        cut = complete_discs(table, self._image.shape)
        return Detections(
            frame=index,
            gain=gain,
            x=table[:, 0] * scale + offset,
            y=table[:, 1] * scale + offset,
            area=table[:, 2] * scale**2,
            solidity=table[:, 3],
            box=(table[:, 4:8] * scale).astype(np.int64),
            blob=table[:, 8].astype(np.int64),
            cut=cut,
            contours=contours,
        )


def complete_discs(table: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Complete what one border cuts to a disc; changes x, y and area in place.

    A disc of radius R cut by a straight border shows depth p across it and extent c along it.
    With its centre inside, c = 2R; outside, c is a chord at distance R − p from the centre and
    R = (c²/4 + p²) / 2p. Both agree at p = c/2.

    Parameters
    ----------
    table
        (n, ≥ 8): x, y, area, –, left, top, width, height.
    shape
        Height and width of the picture.

    Returns
    -------
    (n,) bool
        Whether any border cuts it.
    """
    left, top, width, height = table[:, 4:8].T
    far_x, far_y = left + width >= shape[1], top + height >= shape[0]
    cut_x, cut_y = (left <= 0) | far_x, (top <= 0) | far_y
    touched = cut_x | cut_y
    if not touched.any():
        return touched
    for axis, cut, near_edge, depth, extent, size in (
        (0, cut_x & ~cut_y, left <= 0, width, height, shape[1]),
        (1, cut_y & ~cut_x, top <= 0, height, width, shape[0]),
    ):
        if not cut.any():
            continue
        outside = depth < extent / 2
        radius = np.where(outside, (extent**2 / 4 + depth**2) / (2 * depth), extent / 2)
        centre = np.where(near_edge, depth - radius, size - depth + radius) - 0.5
        table[cut, axis] = centre[cut]
        # Less than a third of a cell, or a blob of several, says too little of the rest.
        full = np.clip(np.pi * radius**2, table[:, 2], 3 * table[:, 2])
        table[cut, 2] = full[cut]
    return touched


def _hidden_factor(box: tuple[int, int, int, int], shape: tuple[int, ...]) -> float:
    """Whole over visible area of a disc that the border cuts, by its depth and extent; 1 to 2."""
    left, top, width, height = box
    if left == 0 or left + width >= shape[1]:
        return min(max(height / width, 1.0), 2.0)
    if top == 0 or top + height >= shape[0]:
        return min(max(width / height, 1.0), 2.0)
    return 1.0


def pixel_area(contour: Contour) -> float:
    """Pixels inside and on an outline through pixel centres, by Pick's theorem: A + b/2 + 1."""
    return float(cv2.contourArea(contour)) + len(contour) / 2 + 1


def _solidity(contour: Contour, area: float) -> float:
    hull = cv2.convexHull(contour)
    # The hull's own boundary in pixels: the same correction as for the outline.
    full = float(cv2.contourArea(hull)) + len(contour) / 2 + 1
    return min(area / full, 1.0)


def _moments(contour: Contour) -> tuple[float, float, float]:
    """Centroid and `pixel_area` of an outline."""
    moments = cv2.moments(contour)
    inside = moments["m00"]
    area = inside + len(contour) / 2 + 1
    if inside > 0:
        return moments["m10"] / inside, moments["m01"] / inside, area
    mean = contour.reshape(-1, 2).mean(axis=0)
    return float(mean[0]), float(mean[1]), area
