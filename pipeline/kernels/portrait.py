"""Pictures of a cell out of a frame."""

from __future__ import annotations

from typing import Any

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


#: Left, top, right, bottom in the arrays of a shot.
Window = tuple[int, int, int, int]
#: Arrays of detections: box (n, 4), x and y (n,), and points and starts of their outlines.
Things = tuple[
    NDArray[np.int64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.int32],
    NDArray[np.int64],
]
#: How pictures are drawn and measured: side of the window in pixels of the frame, contrast shown as
#: 1 or 255, side of a pixel in µm.
Paper = tuple[float, float, float]


@compiled
def portray(
    pixels: NDArray[Any],
    ground: NDArray[np.float32],
    corner: tuple[int, int],
    light: tuple[float, float],
    shrink: int,
    things: Things,
    index: int,
    paper: Paper,
    pictures: NDArray[np.uint8],
    place: int,
    features: NDArray[np.float64],
) -> None:
    """Draw one picture of a cell, and measure the cell on the first.

    Parameters
    ----------
    pixels, ground
        A frame and its background, or the same part of both.
    corner
        Left and top of the part in the frame.
    light
        Brightness of the frame over the background; grey value that contrast is measured in.
    shrink
        Of the frame in detection.
    things, index
        What was found in the frame, and which of it this is.
    paper
        See `Paper`.
    pictures, place
        (V, side, side) uint8, and which of them is to be drawn.
    features
        (8,) float64, written for place 0: see `pipeline.kernels.measure.measure_cell`.
    """
    contrast, mask, left, top = look(pixels, ground, corner, light, shrink, things, index)
    centre = (things[1][index] - left, things[2][index] - top)
    pictures[place] = draw(contrast, mask, centre, paper[0], pictures.shape[1], paper[1])
    if place == 0:
        own = true_mask(contrast, mask, 1.0 + shrink)
        features[:] = measure_cell(contrast, own, paper[2])


@compiled
def look(
    pixels: NDArray[Any],
    ground: NDArray[np.float32],
    corner: tuple[int, int],
    light: tuple[float, float],
    shrink: int,
    things: Things,
    index: int,
) -> tuple[NDArray[np.float32], NDArray[np.uint8], int, int]:
    """Contrast around a thing and its own pixels, 0 or 255, both (h, w), and left and top of them.

    Parameters are those of `portray`.
    """
    box, _, _, points, starts = things
    window = _window(box[index], corner, pixels.shape)
    contrast = contrast_in(pixels, ground, window, light)
    left, top = corner[0] + window[0], corner[1] + window[1]
    mask = np.zeros(contrast.shape, np.uint8)
    fill_outline(points[starts[index] : starts[index + 1]], left, top, shrink, mask)
    return contrast, mask, left, top


@compiled
def _window(box: NDArray[np.int64], corner: tuple[int, int], shape: tuple[int, int]) -> Window:
    """Box of a thing with the rim that is drawn and a little more, within the picture."""
    left, top = box[0] - corner[0], box[1] - corner[1]
    room = room_around(box[2], box[3])
    right, bottom = min(left + box[2] + room, shape[1]), min(top + box[3] + room, shape[0])
    return max(left - room, 0), max(top - room, 0), right, bottom


@compiled
def room_around(width: int, height: int) -> int:
    """Pixels around a box that are looked at."""
    return rim_of(float(max(width, height))) + 2


@compiled
def contrast_in(
    pixels: NDArray[Any], ground: NDArray[np.float32], window: Window, light: tuple[float, float]
) -> NDArray[np.float32]:
    """(Frame − background) / background level in a window, (h, w)."""
    left, top, right, bottom = window
    own, bare = np.float32(1 / (light[0] * light[1])), np.float32(1 / light[1])
    result = np.empty((bottom - top, right - left), np.float32)
    for row in range(bottom - top):
        for column in range(right - left):
            value = np.float32(pixels[top + row, left + column]) * own
            result[row, column] = value - ground[top + row, left + column] * bare
    return result


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
