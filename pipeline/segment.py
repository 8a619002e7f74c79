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
from pipeline.background import Background
from pipeline.kernels.outlines import AREA, SOLIDITY, measure_outlines
from pipeline.kernels.things import are_things
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
#: A whole thing wider than this many of the largest cells is a bubble; clumps are not as round.
_BUBBLE, _ROUND = 1.5, 0.9
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
    oversized
        Things left out because they are far larger than any cell: bubbles.
    touching
        Whether it was cut out of a blob that holds several.
    sightings
        x, y, area, cut and touching of each, as plain values.
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
    oversized: int = 0

    touching: NDArray[np.bool_] = field(init=False)
    sightings: list[tuple[float, float, float, bool, bool]] = field(init=False)

    def __post_init__(self) -> None:
        # Cut out of a thing that holds several.
        counts = np.bincount(self.blob) if len(self.blob) else np.zeros(1, np.int64)
        self.touching = counts[self.blob] > 1
        columns = (self.x, self.y, self.area, self.cut, self.touching)
        self.sightings = list(zip(*(column.tolist() for column in columns), strict=True))

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
        core_area = np.pi / 4 * (smallest + 2) ** 2
        #: Diameter below which a piece of a blob is no cell; raised once whole cells were seen.
        self.smallest_piece = smallest
        self._bubble_area = np.pi / 4 * (_BUBBLE * optics.diameter_px[1] / optics.shrink) ** 2
        self._limits = (
            _CLEARLY_LARGE * core_area,
            optics.high,
            _CORE,
            self.smallest_area,
            _SLIGHT * optics.mass,
        )
        self._signs = (
            optics.polarity is not Polarity.BRIGHT,
            optics.polarity is not Polarity.DARK,
        )
        self.use(background)

    def use(self, background: Background) -> None:
        """Take a new state of the background."""
        self.background = background
        self._image = shrunk(background.image, self.optics.shrink)
        self._gain = float("nan")

    def _set_bounds(self, gain: float) -> None:
        """Lowest and highest grey value of what is bare, of every pixel."""
        tolerance = _SAME_GAIN * self.optics.low / max(self.background.level, 1.0)
        if not abs(gain - self._gain) < tolerance:
            self._gain = gain
            # Just under half a grey: what is stored is rounded, so the bounds are the least whole
            # number above and the greatest below.
            reach = self.optics.low - 0.4999
            bare, kind = self._image, self._kind
            if self._signs[0]:
                self._low = cv2.addWeighted(bare, gain, bare, 0, -reach, dtype=kind)
            if self._signs[1]:
                self._high = cv2.addWeighted(bare, gain, bare, 0, reach, dtype=kind)

    def mask(self, small: NDArray[Any], gain: float) -> NDArray[Any]:
        """Pixels off the background, 255 or 0, of a shrunk and blurred frame."""
        self._set_bounds(gain)
        if self.optics.polarity is Polarity.DARK:
            off = cv2.compare(small, self._low, cv2.CMP_LT)
        elif self.optics.polarity is Polarity.BRIGHT:
            off = cv2.compare(small, self._high, cv2.CMP_GT)
        else:
            off = cv2.bitwise_not(cv2.inRange(small, self._low, self._high))
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
        shortest = self._shortest()
        long = [contour for contour in contours if len(contour) >= shortest]
        outlines = _outlines(long)
        good = outlines[:, AREA] >= self.smallest_area
        good[good] = are_things(
            small, (self._image, gain), outlines[good], self._limits, self._signs
        )
        kept: list[Contour] = []
        several: list[int] = []
        oversized = 0
        for row in np.flatnonzero(good).tolist():
            area, solidity = outlines[row, AREA], outlines[row, SOLIDITY]
            pieces = split_contour(long[row], area, solidity, self.smallest_piece)
            if len(pieces) == 1 and area > self._bubble_area and solidity > _ROUND:
                oversized += 1
                continue
            kept += pieces
            several += [row] * len(pieces)
        blob = np.array(several, np.int64)
        table = outlines[blob]
        pieces_of = np.bincount(blob, minlength=1)[blob] > 1
        table[pieces_of] = _outlines([kept[place] for place in np.flatnonzero(pieces_of)])
        # The shape of the whole tells how sure the parting is.
        table[:, SOLIDITY] = outlines[blob, SOLIDITY]
        found = self._table(table, blob, kept, gain, index)
        found.oversized = oversized
        return found

    def _table(
        self,
        table: NDArray[np.float64],
        blob: NDArray[np.int64],
        contours: list[Contour],
        gain: float,
        index: int,
    ) -> Detections:
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
            blob=blob,
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


def _outlines(contours: Sequence[Contour]) -> NDArray[np.float64]:
    """Place, size and form of contours; columns of `pipeline.kernels.outlines`."""
    if not contours:
        return np.empty((0, 8))
    starts = np.cumsum([0, *map(len, contours)])
    return measure_outlines(np.concatenate(contours).reshape(-1, 2), starts)
