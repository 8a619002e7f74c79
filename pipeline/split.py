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

Contour = NDArray[np.int32]

#: Whole cells are convex but for a few pixels of their outline.
_CONVEX = 0.95
#: A saddle must lie this much below the lower summit: shallower ones are bumps of one cell.
_SADDLE = 0.92


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
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    seeds = summits(distance, smallest)
    while len(seeds) > 1:
        pieces = _outlines(_nearest_summit(mask, distance, seeds), len(seeds))
        large = [_diameter(piece) >= 0.8 * smallest for piece in pieces]
        if all(large):
            return [piece + np.array([left - 1, top - 1], np.int32) for piece in pieces]
        # What is too small for a cell goes to its neighbours.
        seeds = [seed for seed, keep in zip(seeds, large, strict=True) if keep]
    return [contour]


def summits(distance: NDArray[Any], smallest: float) -> list[tuple[int, int]]:
    """Summits of a distance map that stand apart by a real saddle, highest first.

    Parameters
    ----------
    distance
        (h, w) float32, distance to the outside in pixels.
    smallest
        Diameter of the smallest cell: a summit must reach 0.35 of it.

    Returns
    -------
    list of (row, column)
    """
    smooth = cv2.GaussianBlur(distance, (3, 3), 0)
    reach = max(3, int(0.35 * smallest)) | 1
    ridge = cv2.dilate(smooth, np.ones((reach, reach), np.uint8))
    rows, columns = np.nonzero((smooth >= ridge) & (smooth > 0.35 * smallest))
    if len(rows) < 2:
        return list(zip(rows.tolist(), columns.tolist(), strict=True))
    order = np.argsort(-smooth[rows, columns], kind="stable")
    kept: list[tuple[int, int]] = []
    for row, column in zip(rows[order], columns[order], strict=True):
        if all(_apart(smooth, (row, column), other, smallest) for other in kept):
            kept.append((int(row), int(column)))
    return kept


def _apart(
    height: NDArray[Any], one: tuple[int, int], other: tuple[int, int], smallest: float
) -> bool:
    """Whether the straight way between two summits dips deep enough."""
    gap = float(np.hypot(one[0] - other[0], one[1] - other[1]))
    if gap < 0.5 * smallest:
        return False
    steps = np.linspace(0, 1, max(int(gap), 3))
    rows = np.rint(one[0] + steps * (other[0] - one[0])).astype(int)
    columns = np.rint(one[1] + steps * (other[1] - one[1])).astype(int)
    lower = min(height[one], height[other])
    return bool(height[rows, columns].min() < _SADDLE * lower)


def _nearest_summit(
    mask: NDArray[np.uint8], distance: NDArray[Any], seeds: list[tuple[int, int]]
) -> NDArray[Any]:
    """Number of the summit each pixel belongs to, from 1; 0 outside.

    The power diagram of the inscribed discs (Aurenhammer 1987): pixel → least |p − c|² − r². Two
    discs part along the chord through their crossings, which is where touching cells meet; a
    watershed of the quantised distance map was tried and floods along its plateaus.
    """
    rows = np.arange(mask.shape[0], dtype=np.float32)[:, None]
    columns = np.arange(mask.shape[1], dtype=np.float32)[None, :]
    names = np.ones(mask.shape, np.uint8)
    least = None
    for name, (row, column) in enumerate(seeds, 1):
        power = (rows - row) ** 2 + ((columns - column) ** 2 - distance[row, column] ** 2)
        if least is None:
            least = power
            continue
        names[power < least] = name
        least = np.minimum(power, least)
    return cv2.copyTo(names, mask)


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
