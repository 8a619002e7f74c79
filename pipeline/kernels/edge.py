"""Where a cell ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled
from pipeline.kernels.depth import rough_depth_of
from pipeline.kernels.fill import fill_outline
from pipeline.kernels.inside import rim_contrast, within_edge
from pipeline.kernels.smooth import box_mean
from pipeline.kernels.trace import border_of_largest


@compiled
def true_mask(
    contrast: NDArray[np.float32], mask: NDArray[np.uint8], reach: float
) -> NDArray[np.uint8]:
    """The cell up to the middle of its edge.

    Detection ends at the foot of the edge, so that nothing pale is lost; the optics make the edge
    as wide as they are blurred. Its middle is where contrast falls to half of what the cell has
    just inside: of its own rim, since pale cytoplasm around a dark nucleus is half of nothing.

    Parameters
    ----------
    contrast
        (h, w) float32.
    mask
        (h, w) uint8, of detection.
    reach
        Width of the edge, pixels.

    Returns
    -------
    (h, w) uint8
        0 or 255, holes filled.
    """
    size = np.abs(contrast)
    depth = rough_depth_of(mask)
    half = 0.5 * rim_contrast(size, depth, reach)
    if not half >= 0:
        return mask
    # Paler parts deep inside are no edge; they would be filled as holes unless they open outwards.
    kept = within_edge(box_mean(size), depth, half, reach + 1)
    # With room around it, so that its border can be followed.
    wide = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2), np.uint8)
    wide[1:-1, 1:-1] = kept
    border = border_of_largest(wide, 255)
    result = np.zeros_like(mask)
    if len(border):
        fill_outline(border, 1, 1, 1, result)
    return result
