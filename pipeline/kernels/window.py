"""A thing and what lies around it, cut out of a frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled
from pipeline.kernels.fill import fill_outline

#: Rim kept around a cell's outline when neighbours are blanked, as a share of its diameter.
RIM = 0.10

#: Left, top, width, height in the frame.
Window = tuple[int, int, int, int]
#: Brightness of a frame over the background; grey value that contrast is measured in.
Light = tuple[float, float]


@compiled
def window_of(box: NDArray[np.int64], shape: tuple[int, int], most: int) -> Window:
    """Box of a thing with the rim that is drawn and a little more, within the frame.

    Parameters
    ----------
    box
        (4,) left, top, width, height.
    shape
        Height and width of the frame.
    most
        Longest side: of what is larger, the middle is looked at.
    """
    room = room_around(box[2], box[3])
    left, width = _within(box[0] - room, box[2] + 2 * room, shape[1], most)
    top, height = _within(box[1] - room, box[3] + 2 * room, shape[0], most)
    return left, top, width, height


@compiled
def _within(start: int, length: int, end: int, most: int) -> tuple[int, int]:
    if length > most:
        start, length = start + (length - most) // 2, most
    first, last = max(start, 0), min(start + length, end)
    return first, max(last - first, 0)


@compiled
def room_around(width: int, height: int) -> int:
    """Pixels around a box that are looked at."""
    return rim_of(float(max(width, height))) + 2


@compiled
def rim_of(diameter: float) -> int:
    """Pixels around a cell's outline that are shown with it."""
    return max(1, int(np.rint(RIM * diameter)))


@compiled
def look(
    pixels: NDArray[Any],
    ground: NDArray[np.float32],
    window: Window,
    light: Light,
    outline: tuple[NDArray[np.int32], int],
    contrast: NDArray[np.float32],
    mask: NDArray[np.uint8],
) -> None:
    """Take down contrast and own pixels of a thing in its window.

    Parameters
    ----------
    pixels, ground
        A frame and its background.
    window
        From `window_of`.
    outline
        (m, 2) int32, its pixels in the shrunk frame; whole number by which that is shrunk.
    contrast
        (h, w) float32, gets (frame − background) / background level.
    mask
        (h, w) uint8, gets 255 on the thing and 0 elsewhere.
    """
    left, top, width, height = window
    own, bare = np.float32(1 / (light[0] * light[1])), np.float32(1 / light[1])
    for row in range(height):
        line, under = pixels[top + row, left : left + width], ground[top + row, left : left + width]
        found, none = contrast[row], mask[row]
        for column in range(width):
            found[column] = np.float32(line[column]) * own - under[column] * bare
            none[column] = 0
    fill_outline(outline[0], left, top, outline[1], mask)
