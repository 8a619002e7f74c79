"""One frame → the things in it that could be cells.

Threshold against two bounds made once from background and noise, contours, and cheap moments of
each contour. Everything costly waits until it is known which pictures of a cell are kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellcensus.study import Polarity
from pipeline.background import Background
from pipeline.kernels.contours import canvas
from pipeline.kernels.frame import Bare, Tools, look_over
from pipeline.kernels.ground import bench
from pipeline.kernels.things import Limits
from pipeline.optics import Optics, shrunk
from pipeline.outlines import Outlines

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
    outlines
        In pixels of the shrunk frame.
    oversized
        Things left out because they are far larger than any cell: bubbles.
    touching
        Whether it was cut out of a blob that holds several.
    scores, focus
        As pictures of their cells, and sharpness of each: see `pipeline.kernels.score`.
    usual
        Median focus of what is whole and single, and how many those are.
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
    outlines: Outlines
    oversized: int = 0

    touching: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    scores: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    focus: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    usual: tuple[float, int] = (float("nan"), 0)

    def __post_init__(self) -> None:
        if len(self.touching) != len(self.blob):
            # Cut out of a thing that holds several.
            counts = np.bincount(self.blob) if len(self.blob) else np.zeros(1, np.int64)
            self.touching = counts[self.blob] > 1

    def __len__(self) -> int:
        return len(self.x)

    def only(self, index: int) -> Detections:
        """One of them, on its own memory."""
        one = slice(index, index + 1)
        return Detections(
            frame=self.frame,
            gain=self.gain,
            x=self.x[one].copy(),
            y=self.y[one].copy(),
            area=self.area[one].copy(),
            solidity=self.solidity[one].copy(),
            box=self.box[one].copy(),
            blob=np.zeros(1, np.int64),
            cut=self.cut[one].copy(),
            outlines=Outlines.of([self.outlines[index]]),
            touching=self.touching[one].copy(),
            scores=self.scores[one].copy(),
            focus=self.focus[one].copy(),
        )


class Segmenter:
    """Finds detections in frames of one recording."""

    def __init__(self, background: Background, optics: Optics, dtype: np.dtype[Any]) -> None:
        self.optics = optics
        self._dtype = dtype
        smallest = optics.diameter_px[0] / optics.shrink
        # The foot of a blob is a few pixels wide however small it is.
        core_area = np.pi / 4 * (smallest + 2) ** 2
        self.limits = Limits(
            clearly_large=float(_CLEARLY_LARGE * core_area),
            contrast=float(optics.high),
            core=_CORE,
            area=float(np.pi / 4 * smallest**2),
            mass=float(_SLIGHT * optics.mass),
            # Raised once whole cells were seen.
            smallest_piece=float(smallest),
            bubble_area=float(np.pi / 4 * (_BUBBLE * optics.diameter_px[1] / optics.shrink) ** 2),
            bubble_solidity=_ROUND,
        )
        self._signs = (
            optics.polarity is not Polarity.BRIGHT,
            optics.polarity is not Polarity.DARK,
        )
        # A disc of diameter d has an outline of about 2.8 d pixels: half of it is a safe gate.
        self._shortest = int(np.ceil(max(3.0, 1.4 * smallest)))
        self._low = self._high = np.empty((0, 0), dtype)
        self.use(background)
        self._room = bench(self._low.shape, dtype)
        paper = canvas(self._room.closed)
        self._paper = paper, paper.view(np.uint8)

    def use(self, background: Background) -> None:
        """Take a new state of the background."""
        self.background = background
        image = shrunk(background.image, self.optics.shrink)
        if image.shape != self._low.shape:
            self._low = np.empty(image.shape, self._dtype)
            # The same where only what is darker counts.
            self._high = np.empty_like(self._low) if self._signs[1] else self._low
        self._bare = Bare(
            image=image,
            places=background.bright,
            inverse=background.inverse,
            low=self._low,
            high=self._high,
            gain=np.full(1, np.nan),
            tolerance=float(_SAME_GAIN * self.optics.low / max(background.level, 1.0)),
            # Just under half a grey: what is stored is rounded, so the bounds are the least whole
            # number above and the greatest below.
            reach=float(self.optics.low - 0.4999),
        )

    def detect(self, frame: NDArray[Any], index: int) -> Detections:
        """Find what could be cells.

        Parameters
        ----------
        frame
            (H, W) uint8 or uint16.
        index
            Of the frame.
        """
        gain, found, sharp = look_over(
            frame,
            shrunk(frame, self.optics.shrink),
            self._bare,
            Tools(self.limits, self._signs, self.optics.shrink, self._shortest),
            self._room,
            self._paper,
        )
        x, y, area, solidity = found.columns
        return Detections(
            frame=index,
            gain=gain,
            x=x,
            y=y,
            area=area,
            solidity=solidity,
            box=found.box,
            blob=found.blob,
            cut=found.cut,
            outlines=Outlines(found.points, found.starts),
            oversized=found.oversized,
            touching=found.touching,
            scores=sharp.scores,
            focus=sharp.focus,
            usual=sharp.usual,
        )

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
            least = max(self.limits.smallest_piece, small)
            self.limits = self.limits._replace(smallest_piece=least)
