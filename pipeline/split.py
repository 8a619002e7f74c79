"""Touching cells apart.

Two round cells that touch make one outline with two notches facing each other. The distance
transform of such a shape has two summits with a saddle between them; the cut goes through the
saddle. A lobed nucleus whose cytoplasm is pale makes the same figure at a smaller size, so the
pieces must each be large enough to be a cell of this recording.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.parts import nearest_summit, separate_summits

Contour = NDArray[np.int32]

#: Whole cells are convex but for a few pixels of their outline.
_CONVEX = 0.95
#: A saddle must lie this much below the lower summit: shallower ones are bumps of one cell.
_SADDLE = 0.92
#: Pieces of one outline, at most.
_MOST = 255


def split_contour(contour: Contour, area: float, solidity: float, smallest: float) -> list[Contour]:
    """Split an outline into cells.

    Parameters
    ----------
    contour
        (m, 1, 2) int32.
    area
        Pixels².
    solidity
        Area over hull area.
    smallest
        Diameter of the smallest piece that can be a cell, pixels.

    Returns
    -------
    list of contours
        The outline itself where nothing speaks for several cells.
    """
    room = 1.6 * np.pi / 4 * smallest**2
    if area < room or solidity > _CONVEX:
        return [contour]
    left, top, width, height = cv2.boundingRect(contour)
    mask = np.zeros((height + 2, width + 2), np.uint8)
    cv2.drawContours(mask, [contour], -1, 255, cv2.FILLED, offset=(1 - left, 1 - top))
    distance: NDArray[Any] = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    seeds = summits(distance, smallest)
    while len(seeds) > 1:
        # The power diagram of the inscribed discs (Aurenhammer 1987): least |p − c|² − r². Discs
        # part along the chord through their crossings, which is where touching cells meet; a
        # watershed of the quantised distance map was tried and floods along its plateaus.
        pieces = _outlines(nearest_summit(mask, distance, seeds[:_MOST]), len(seeds[:_MOST]))
        large = [_diameter(piece) >= 0.8 * smallest for piece in pieces]
        if all(large):
            return [piece + np.array([left - 1, top - 1], np.int32) for piece in pieces]
        # What is too small for a cell goes to its neighbours.
        seeds = seeds[: len(large)][large]
    return [contour]


def summits(distance: NDArray[Any], smallest: float) -> NDArray[np.int64]:
    """Summits of a distance map that stand apart by a real saddle, highest first.

    Parameters
    ----------
    distance
        (h, w) float32, distance to the outside in pixels.
    smallest
        Diameter of the smallest cell: a summit must reach 0.35 of it.

    Returns
    -------
    (k, 2) int64
        Row and column.
    """
    smooth: NDArray[Any] = cv2.GaussianBlur(distance, (3, 3), 0)
    reach = max(3, int(0.35 * smallest)) | 1
    ridge: NDArray[Any] = cv2.dilate(smooth, np.ones((reach, reach), np.uint8))
    return separate_summits(smooth, ridge, smallest, _SADDLE)


def _outlines(pieces: NDArray[Any], number: int) -> list[Contour]:
    result: list[Contour] = []
    for name in range(1, number + 1):
        piece = (pieces == name).view(np.uint8)
        outlines, _ = cv2.findContours(piece, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        found: list[Contour] = [np.asarray(outline, np.int32) for outline in outlines]
        result.append(max(found, key=cv2.contourArea) if found else np.zeros((1, 1, 2), np.int32))
    return result


def _diameter(contour: Contour) -> float:
    area = float(cv2.contourArea(contour)) + len(contour) / 2 + 1
    return float(np.sqrt(4 * area / np.pi))
