"""Pictures of cells, and what is measured of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled
from pipeline.kernels.edge import true_mask
from pipeline.kernels.keep import COLUMNS, LEFT, ROWS, TOP, Kept, X, Y
from pipeline.kernels.measure import measure_cell
from pipeline.kernels.sample import sample
from pipeline.kernels.smooth import gaussian
from pipeline.kernels.widen import widen
from pipeline.kernels.window import rim_of

#: What `pipeline.kernels.measure.measure_cell` finds.
_MEASURED = 8


class Paper(NamedTuple):
    """How pictures are drawn and measured.

    Parameters
    ----------
    window
        Side of what is shown, pixels of the frame.
    side
        Side of the picture, pixels.
    full_scale
        Contrast shown as 1 or 255.
    pixel_um
        Side of a pixel of the frame, µm.
    edge
        Width of a cell's edge, pixels of the frame.
    """

    window: float
    side: int
    full_scale: float
    pixel_um: float
    edge: float


@compiled
def portray(kept: Kept, views: int, paper: Paper) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Draw the pictures of cells, and measure each on its best view.

    Parameters
    ----------
    kept
        Views of n cells.
    views
        Pictures of each; where a cell has fewer views, its best is shown in their place.

    Returns
    -------
    pictures : (n, views, side, side) uint8
    features : (n, 8) float64
        See `pipeline.kernels.measure.measure_cell`.
    """
    number = len(kept.counts)
    pictures = np.empty((number, views, paper.side, paper.side), np.uint8)
    features = np.empty((number, _MEASURED))
    view, begin = 0, 0
    for cell in range(number):
        for place in range(kept.counts[cell]):
            facts = kept.facts[view]
            height, width = int(facts[ROWS]), int(facts[COLUMNS])
            end = begin + height * width
            contrast = kept.contrast[begin:end].reshape((height, width))
            mask = kept.mask[begin:end].reshape((height, width))
            centre = (facts[X] - facts[LEFT], facts[Y] - facts[TOP])
            pictures[cell, place] = draw(
                contrast, mask, centre, paper.window, paper.side, paper.full_scale
            )
            if place == 0:
                own = true_mask(contrast, mask, paper.edge)
                features[cell] = measure_cell(contrast, own, paper.pixel_um)
            view, begin = view + 1, end
        for place in range(kept.counts[cell], views):
            pictures[cell, place] = pictures[cell, 0]
    return pictures, features


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
