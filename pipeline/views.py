"""A frame with what was found in it.

A detection is judged as a picture of its cell by completeness (not cut by the border), distance
from neighbours and focus (`pipeline.kernels.score`). While its track is open the best few are kept
(`pipeline.best`); they are drawn when it is over (`pipeline.kernels.portrait`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.segment import Detections


@dataclass(slots=True)
class Shot:
    """One frame with what was found in it.

    Parameters
    ----------
    pixels
        (H, W) grey values.
    ground
        (H, W) float32, background at its time.
    found
        Its detections.
    """

    pixels: NDArray[Any]
    ground: NDArray[np.float32]
    found: Detections
