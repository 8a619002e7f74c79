"""What the picture looks like where no cell is, and how bright each frame is against it.

In ``flow`` a pixel shows the bare channel most of the time, so the temporal median of a sample of
frames is the background; dirt that never moves is part of it and thereby masked. Flicker is one
factor a frame, slow drift is followed pixel by pixel where no cell is. Where frames are too few,
a morphological closing or opening in space, wider than the largest cell, stands in.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.follow import followed
from pipeline.kernels.level import gain_over

#: Every ``_GRID``-th pixel in both directions tells the level of a frame.
_GRID = 8
#: So many pixels tell the gain of a frame to a few parts in ten thousand.
_ENOUGH = 2500
#: Pixels darker than this many grey values are black: a ratio to them tells no brightness.
_BLACK = 8.0
#: A frame brighter or darker than this many times the background does not show it.
_LIT = 2.0


class Background:
    """The bare picture and how it changes.

    Parameters
    ----------
    image
        (H, W) float32, grey values of the frames.

    Attributes
    ----------
    level
        Its median.
    bright, inverse
        Flat indices of pixels that tell how bright a frame is, and one over the picture there.
    """

    def __init__(self, image: NDArray[np.float32]) -> None:
        self.image = image
        self._places = _spread_out(image.shape)
        self._resample()
        self.first_level = self.level

    def _resample(self) -> None:
        values = self.image.ravel()[self._places]
        self.level = float(np.median(values))
        # Dark pixels of a vignette or a frame edge would divide by nothing.
        bright = values > max(0.25 * self.level, _BLACK)
        self.bright = self._places[bright]
        self.inverse = (1.0 / values[bright]).astype(np.float32)

    def gain(self, frame: NDArray[Any]) -> float:
        """Brightness of a frame over the background, dimensionless, robust to cells.

        1 where the background is black.

        Parameters
        ----------
        frame
            (H, W) uint8 or uint16.
        """
        return float(gain_over(frame.reshape(-1), self.bright, self.inverse))

    def change(self) -> float:
        """Brightness over that at first; 1 where both are black."""
        return self.level / self.first_level if self.first_level > _BLACK else 1.0

    def follow(
        self, frame: NDArray[Any], gain: float, boxes: NDArray[np.int64], rate: float
    ) -> Background:
        """The background moved a little towards a frame where no cell is.

        Parameters
        ----------
        frame
            (H, W) grey values.
        gain
            Of this frame, from `gain`.
        boxes
            (n, 4) left, top, width, height of what the frame shows; it hides the background.
        rate
            Share of the difference that is taken over, 0–1.

        Returns
        -------
        Background
            A new one: views that wait for their track keep the background of their time.
        """
        moved = copy(self)
        moved.image = followed(self.image, frame, 1 / gain, boxes, rate)
        moved._resample()
        return moved


def is_lit(gain: float) -> bool:
    """Whether a frame of this brightness shows the background, the lamp neither off nor full."""
    return 1 / _LIT < gain < _LIT


def weighted(
    one: NDArray[Any], factor: float, other: NDArray[Any], other_factor: float
) -> NDArray[np.float32]:
    """``factor · one + other_factor · other`` of pictures of any depth, in one pass, as float32."""
    total: NDArray[Any] = cv2.addWeighted(one, factor, other, other_factor, 0, dtype=cv2.CV_32F)
    return total


def _spread_out(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Flat indices of at most about `_ENOUGH` pixels on an even grid."""
    step = max(2, int(np.ceil(np.sqrt(shape[0] * shape[1] / _ENOUGH))))
    rows, columns = np.arange(step // 2, shape[0], step), np.arange(step // 2, shape[1], step)
    return (rows[:, None] * shape[1] + columns[None, :]).ravel()


def temporal_background(frames: Sequence[NDArray[Any]]) -> Background:
    """Background from the median over time, after each frame is brought to the same brightness.

    Parameters
    ----------
    frames
        At least three (H, W) frames of one size.

    Returns
    -------
    Background
    """
    levels = np.median([frame[::_GRID, ::_GRID].ravel() for frame in frames], axis=1)
    usual = float(np.median(levels))
    scale = usual / np.maximum(levels, 1e-6) if usual > 0 else np.ones(len(frames))
    if np.ptp(scale) < 0.004:  # nothing to equalise: the cheap path
        return Background(_median_by_rows(frames, None))
    return Background(_median_by_rows(frames, scale.astype(np.float32)))


def _median_by_rows(
    frames: Sequence[NDArray[Any]], scale: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """Median over the frames in bands of rows, so that the copies stay small."""
    result = np.empty(frames[0].shape, np.float32)
    for top in range(0, len(result), 32):
        band = [frame[top : top + 32] for frame in frames]
        if scale is not None:
            band = [part * factor for part, factor in zip(band, scale, strict=True)]
        result[top : top + 32] = _central_mean(band)
    return result


def _central_mean(band: list[NDArray[Any]]) -> NDArray[np.float32]:
    """Mean of the middle fifth of the sorted values: a median without its steps of one grey."""
    count = len(band)
    low, high = int(0.4 * count), max(int(np.ceil(0.6 * count)), int(0.4 * count) + 1)
    middle = np.stack(_sorted_pictures(band)[low:high])
    return middle.mean(axis=0, dtype=np.float32)


def _sorted_pictures(pictures: list[NDArray[Any]]) -> list[NDArray[Any]]:
    """Pictures with the values of each pixel in rising order, by Batcher's merge exchange.

    Knuth, The Art of Computer Programming 3, 5.2.2, algorithm M. Its steps compare whole pictures,
    which takes a tenth of the time of a selection pixel by pixel.
    """
    for one, other in _exchanges(len(pictures)):
        low, high = pictures[one], pictures[other]
        pictures[one], pictures[other] = np.minimum(low, high), np.maximum(low, high)
    return pictures


@lru_cache(maxsize=8)
def _exchanges(count: int) -> tuple[tuple[int, int], ...]:
    """Pairs to compare in turn, so that ``count`` things end up sorted."""
    found: list[tuple[int, int]] = []
    first = step = 1 << max((count - 1).bit_length() - 1, 0)
    while step:
        wide, offset, away = first, 0, step
        while True:
            found += [(i, i + away) for i in range(count - away) if i & step == offset]
            if wide == step:
                break
            away, wide, offset = wide - step, wide >> 1, step
        step >>= 1
    return tuple(found)


def spatial_background(frame: NDArray[Any], widest: float, dark: bool) -> Background:
    """Background of a single frame: a closing (dark cells) or opening wider than any cell.

    Parameters
    ----------
    frame
        (H, W) grey values.
    widest
        Diameter of the largest cell in pixels.
    dark
        Whether cells are darker than the background.
    """
    shrink = max(1, int(widest / 12))
    height, width = frame.shape
    small_size = (max(width // shrink, 8), max(height // shrink, 8))
    small = cv2.resize(frame.astype(np.float32), small_size, interpolation=cv2.INTER_AREA)
    small = cv2.medianBlur(small, 3)
    reach = 2 * int(np.ceil(0.75 * widest / shrink)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    operation = cv2.MORPH_CLOSE if dark else cv2.MORPH_OPEN
    shape = cv2.morphologyEx(small, operation, kernel, borderType=cv2.BORDER_REPLICATE)
    shape = cv2.blur(shape, (reach, reach), borderType=cv2.BORDER_REPLICATE)
    # A closing rides on the crests of the noise: bring it back to the typical bare pixel.
    bare = small - shape
    shape = shape + mode(bare)
    full = cv2.resize(shape, (width, height), interpolation=cv2.INTER_LINEAR)
    return Background(full.astype(np.float32))


def mode(values: NDArray[np.float32]) -> float:
    """Half-sample mode: the densest value, which is the background while it holds a fair share."""
    data = np.sort(values, axis=None)
    while data.size > 3:
        half = (data.size + 1) // 2
        start = int(np.argmin(data[half - 1 :] - data[: data.size - half + 1]))
        data = data[start : start + half]
    return float(data.mean())


def event_background(frames: Sequence[NDArray[Any]]) -> Background:
    """Background of pictures that each show a cell near their middle.

    The median over time is bare only around the cells, so each frame first gets a smooth surface
    through its own rim; pixels far from it are cells, and each pixel is the median of the frames
    in which it is bare. Where it hardly ever is, the surfaces stand in.

    Parameters
    ----------
    frames
        At least one (H, W) frame of one size.
    """
    stack = np.stack(frames).astype(np.float32)
    smooth = np.stack([_rim_surface(frame) for frame in stack])
    off = stack - smooth
    noise = max(float(np.median(np.abs(off[:, _rim(off.shape[1:])]))) * 1.4826, 0.5)
    kernel = np.ones((5, 5), np.uint8)
    covered = [cv2.dilate((np.abs(one) > 4 * noise).astype(np.uint8), kernel) for one in off]
    bare = np.where(np.stack(covered) > 0, np.nan, off)
    seen = np.isfinite(bare).sum(axis=0)
    bare[:, seen == 0] = 0.0
    shape = np.nanmedian(bare, axis=0)
    # A pixel that is bare in a few frames only may be the pale rim of a cell in those.
    shape = np.where(seen >= max(0.25 * len(stack), 1), shape, 0.0)
    return Background((np.median(smooth, axis=0) + shape).astype(np.float32))


def _rim(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The outermost eighth of a picture on each side."""
    rim = np.ones(shape, bool)
    high, wide = max(shape[0] // 8, 1), max(shape[1] // 8, 1)
    rim[high:-high, wide:-wide] = False
    return rim


def _rim_surface(frame: NDArray[np.float32]) -> NDArray[np.float32]:
    """Quadratic surface through the rim of a frame, refitted once without outliers."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, size) for size in frame.shape), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * y, x**2, y**2], axis=-1)
    use = _rim(frame.shape)
    surface = np.zeros(frame.shape)
    for _ in range(3):
        factors, *_ = np.linalg.lstsq(terms[use], frame[use], rcond=None)
        surface = terms @ factors
        off = np.abs(frame - surface)
        use = _rim(frame.shape) & (off < 2.5 * max(1.4826 * float(np.median(off[use])), 0.5))
    return surface.astype(np.float32)
