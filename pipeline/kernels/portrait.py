"""Pictures of a cell out of a frame."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled
from pipeline.kernels.edge import true_mask
from pipeline.kernels.fill import fill_outline
from pipeline.kernels.measure import measure_cell
from pipeline.kernels.sample import sample
from pipeline.kernels.smooth import gaussian
from pipeline.kernels.widen import widen

#: Rim kept around a cell's outline when neighbours are blanked, as a share of its diameter.
RIM = 0.10


class Sitting(NamedTuple):
    """Where a cell is in two arrays that are parts of a frame and of its background.

    Parameters
    ----------
    window
        Left, top, right, bottom of what is looked at, in pixels of the arrays.
    corner
        Left and top of the arrays in the frame.
    centre
        Of the cell, x and y in the frame.
    gain, level
        Brightness of the frame over the background; grey value that contrast is measured in.
    shrink
        Of the frame in detection.
    """

    window: tuple[int, int, int, int]
    corner: tuple[int, int]
    centre: tuple[float, float]
    gain: float
    level: float
    shrink: int


class Paper(NamedTuple):
    """How pictures are drawn and measured: side of the window in pixels of the frame, side of the
    picture, contrast shown as 1 or 255, side of a pixel in µm."""

    window_px: float
    side: int
    full_scale: float
    pixel_size_um: float


@compiled
def portray(
    pixels: NDArray[Any],
    ground: NDArray[np.float32],
    outline: NDArray[np.int32],
    sitting: Sitting,
    paper: Paper,
    measured: bool,
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Draw one picture, and measure the cell if that is wanted.

    Parameters
    ----------
    pixels, ground
        Parts of the frame and of the background, of one shape.
    outline
        (m, 2) int32, in pixels of the shrunk frame.

    Returns
    -------
    picture : (side, side) uint8
        From `draw`.
    features : (8,) float64
        From `pipeline.kernels.measure.measure_cell`; zeros if they are not wanted.
    """
    contrast = contrast_of(pixels, ground, sitting)
    mask = own_pixels(outline, sitting)
    left, top = sitting.corner[0] + sitting.window[0], sitting.corner[1] + sitting.window[1]
    centre = (sitting.centre[0] - left, sitting.centre[1] - top)
    picture = draw(contrast, mask, centre, paper.window_px, paper.side, paper.full_scale)
    features = np.zeros(8)
    if measured:
        own = true_mask(contrast, mask, 1.0 + sitting.shrink)
        features = measure_cell(contrast, own, paper.pixel_size_um)
    return picture, features


@compiled
def contrast_of(
    pixels: NDArray[Any], ground: NDArray[np.float32], sitting: Sitting
) -> NDArray[np.float32]:
    """(Frame − background) / background level in the window of a sitting, (h, w)."""
    left, top, right, bottom = sitting.window
    own = np.float32(1 / (sitting.gain * sitting.level))
    bare = np.float32(1 / sitting.level)
    result = np.empty((bottom - top, right - left), np.float32)
    for row in range(bottom - top):
        for column in range(right - left):
            value = np.float32(pixels[top + row, left + column]) * own
            result[row, column] = value - ground[top + row, left + column] * bare
    return result


@compiled
def own_pixels(outline: NDArray[np.int32], sitting: Sitting) -> NDArray[np.uint8]:
    """The cell's own pixels in the window of a sitting, 0 or 255."""
    left, top, right, bottom = sitting.window
    mask = np.zeros((bottom - top, right - left), np.uint8)
    start = (sitting.corner[0] + left, sitting.corner[1] + top)
    fill_outline(outline, start[0], start[1], sitting.shrink, mask)
    return mask


@compiled
def rim_of(diameter: float) -> int:
    """Pixels around a cell's outline that are shown with it."""
    return max(1, int(np.rint(RIM * diameter)))


@compiled
def draw(
    contrast: NDArray[np.float32],
    mask: NDArray[np.uint8],
    centre: tuple[float, float],
    window_px: float,
    side: int,
    full_scale: float,
) -> NDArray[np.uint8]:
    """Draw one stored picture.

    Parameters
    ----------
    contrast
        (h, w) float32.
    mask
        (h, w) uint8, the cell's own pixels.
    centre
        x, y of the cell in the array.
    window_px
        Side of the window in pixels of the array.
    side
        Side of the picture.
    full_scale
        Contrast shown as 1 or 255.

    Returns
    -------
    (side, side) uint8
        128 + 127 × clip(contrast / full_scale, −1, 1); neighbours and background are 128.
    """
    size = 0
    for row in range(mask.shape[0]):
        for column in range(mask.shape[1]):
            size += mask[row, column] > 0
    shown = widen(mask, rim_of(np.sqrt(4 * max(size, 1) / np.pi)))
    alone = np.zeros(contrast.shape, np.float32)
    for row in range(mask.shape[0]):
        for column in range(mask.shape[1]):
            if shown[row, column]:
                alone[row, column] = contrast[row, column]
    step = window_px / side
    if step > 1.2:
        # Without it, sampling every ``step`` pixels would fold noise and edges into the picture.
        alone = gaussian(alone, 0.45 * np.sqrt(step**2 - 1), True)
    return sample(alone, centre, step, side, (128.0, 127 / full_scale))
