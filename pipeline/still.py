"""What never moves, seen in the background: dirt on the windows, text burnt into the picture."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

#: The background's level is brought to this grey value; a step of it is 0.8 % of contrast.
_LEVEL = 128.0
#: Contrast of dirt, and of letters, over what is around them; noise of the background's picture
#: lies far below.
_DIRT, _INK = 0.08, 0.25
#: Letters: of this height in pixels, at least so many in a line.
_HEIGHTS, _LETTERS = (6, 60), 4


def dirt_share(image: NDArray[np.float32], level: float, widest: float) -> float:
    """Share of the picture covered by what stands out from the background around it.

    Parameters
    ----------
    image
        (H, W) float32, background.
    level
        Its usual grey value.
    widest
        Diameter of the largest cell, pixels: dirt is told from shading by its size.
    """
    shrink = max(1.0, widest / 16)
    size = (max(round(image.shape[1] / shrink), 8), max(round(image.shape[0] / shrink), 8))
    small = cv2.resize(_as_bytes(image, level), size, interpolation=cv2.INTER_AREA)
    around = cv2.medianBlur(small, 2 * min(round(1.5 * widest / shrink), 120) + 1)
    return float(np.mean(cv2.absdiff(small, around) > _DIRT * _LEVEL))


def text_lines(image: NDArray[np.float32], level: float) -> int:
    """Lines of burnt-in text: letters of like height, side by side, of strong contrast.

    Parameters
    ----------
    image
        (H, W) float32, background.
    level
        Its usual grey value.
    """
    grey = _as_bytes(image, level)
    # Dark letters and light ones apart: what is between dark letters is light.
    return max(_lines(grey, cv2.MORPH_TOPHAT), _lines(grey, cv2.MORPH_BLACKHAT))


def _lines(grey: NDArray[np.uint8], operation: int) -> int:
    strokes = cv2.morphologyEx(grey, operation, np.ones((15, 15), np.uint8))
    ink = (np.asarray(strokes) > _INK * _LEVEL).astype(np.uint8)
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((3, 17), np.uint8))
    count, _, boxes, _ = cv2.connectedComponentsWithStats(np.asarray(joined))
    return sum(_is_line(ink, boxes[index]) for index in range(1, count))


def _is_line(ink: NDArray[np.uint8], box: NDArray[Any]) -> bool:
    left, top, width, height = (int(value) for value in box[:4])
    if not _HEIGHTS[0] <= height <= _HEIGHTS[1] or width < 2 * height:
        return False
    part = np.ascontiguousarray(ink[top : top + height, left : left + width])
    count, _, letters, _ = cv2.connectedComponentsWithStats(part)
    heights = letters[1:count, cv2.CC_STAT_HEIGHT]
    return int(np.count_nonzero(heights > 0.6 * height)) >= _LETTERS


def _as_bytes(image: NDArray[np.float32], level: float) -> NDArray[np.uint8]:
    scaled: NDArray[Any] = cv2.convertScaleAbs(image, alpha=_LEVEL / max(level, 1e-6))
    return scaled
