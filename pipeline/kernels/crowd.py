"""How near detections of one frame are to each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled


@compiled
def gaps(
    x: NDArray[np.float64], y: NDArray[np.float64], radius: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Least gap between each disc and any other, pixels; infinite for a single one.

    Parameters
    ----------
    x, y, radius
        (n,) of discs, pixels.
    """
    result = np.full(len(x), np.inf)
    for one in range(len(x)):
        for other in range(one):
            gap = np.hypot(x[one] - x[other], y[one] - y[other]) - radius[one] - radius[other]
            result[one], result[other] = min(result[one], gap), min(result[other], gap)
    return result
