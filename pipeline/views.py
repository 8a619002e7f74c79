"""The pictures that stand for a cell: which are kept, and how they are drawn.

A view is judged by completeness (not cut by the border), distance from neighbours and focus. Only
the pixels around a cell are kept while its track is open; the few pictures that win are drawn when
it is over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from math import log, pi, sqrt
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.background import Background, weighted
from pipeline.optics import Optics
from pipeline.segment import Detections

#: Rim kept around a cell's outline when neighbours are blanked, as a share of its diameter.
_RIM = 0.10


@dataclass(slots=True)
class View:
    """One cell in one frame, not yet drawn.

    Parameters
    ----------
    frame, x, y, box
        As in `pipeline.segment.Detections`.
    contrast
        (Frame − background) / background level of the part of the frame that holds the cell.
    left, top
        Where that part lies in the frame.
    contour
        Outline in pixels of the shrunk frame.
    cut, touching
        Whether the border cuts the cell, whether it was split from a blob.
    focus
        Sharpness, see `sharpness`; NaN until it is asked for.
    score
        Larger is better.
    """

    frame: int
    x: float
    y: float
    box: tuple[int, int, int, int]
    contrast: NDArray[np.float32]
    left: int
    top: int
    contour: NDArray[np.int32]
    cut: bool
    touching: bool
    focus: float
    score: float


@dataclass(slots=True)
class Shot:
    """One frame with what was found in it.

    Parameters
    ----------
    index
        Of the frame.
    pixels
        (H, W) grey values.
    found
        Its detections.
    background
        Of the frame.
    scores
        Of the detections as views, but for focus.
    """

    index: int
    pixels: NDArray[Any]
    found: Detections
    background: Background
    scores: NDArray[np.float64]
    boxes: list[tuple[int, int, int, int]] = field(init=False)

    def __post_init__(self) -> None:
        self.boxes = [tuple(box) for box in self.found.box.tolist()]

    def score(self, index: int, focus: float) -> float:
        """Of a detection as a view: half a point for each factor e of its focus."""
        return float(self.scores[index]) + 0.5 * log(max(focus, 1e-6))


class ViewFinder:
    """Cuts views out of frames and scores them.

    Parameters
    ----------
    optics
        Of the recording.
    shape
        Height and width of a frame.
    """

    def __init__(self, optics: Optics, shape: tuple[int, int]) -> None:
        self.optics = optics
        self.shape = shape

    def scores(self, found: Detections) -> NDArray[np.float64]:
        """Score of each detection, but for its focus."""
        if not len(found):
            return np.zeros(0)
        radius = np.sqrt(found.area / np.pi)
        gap = np.hypot(found.x[:, None] - found.x[None, :], found.y[:, None] - found.y[None, :])
        gap -= radius[:, None] + radius[None, :]
        np.fill_diagonal(gap, np.inf)
        apart = np.clip(gap.min(axis=1) / np.maximum(radius, 1.0), 0.0, 1.0)
        height, width = self.shape
        depth = np.minimum(
            np.minimum(found.x, width - 1 - found.x), np.minimum(found.y, height - 1 - found.y)
        )
        # A cell whose centre lies outside stands for nothing unless there is no other view.
        shown = np.where(depth < 0, -9.0, 3 * np.clip(depth / np.maximum(radius, 1.0), 0.0, 1.0))
        return np.where(found.cut, shown, 4.0) + apart - 1.5 * found.touching

    def focus(self, shot: Shot, index: int) -> float:
        """Sharpness of a detection."""
        left, top, width, height = shot.boxes[index]
        return sharpness(shot.pixels[top : top + height, left : left + width])

    def cut_out(self, shot: Shot, index: int, focus: float) -> View:
        """Keep what is needed to draw one detection later."""
        found = shot.found
        left, top, width, height = box = shot.boxes[index]
        room = rim_of(max(width, height)) + 2
        top, bottom = max(top - room, 0), top + height + room
        left, right = max(left - room, 0), left + width + room
        level = self.optics.level
        return View(
            frame=found.frame,
            x=float(found.x[index]),
            y=float(found.y[index]),
            box=box,
            contrast=weighted(
                shot.pixels[top:bottom, left:right],
                1 / (found.gain * level),
                shot.background.image[top:bottom, left:right],
                -1 / level,
            ),
            left=left,
            top=top,
            contour=found.contours[index],
            cut=bool(found.cut[index]),
            touching=bool(found.touching[index]),
            focus=focus,
            score=shot.score(index, focus),
        )


def rim_of(diameter: float) -> int:
    """Pixels around a cell's outline that are shown with it."""
    return max(1, round(_RIM * diameter))


def sharpness(pixels: NDArray[Any]) -> float:
    """Focus of a picture: deviation of its Laplacian over the deviation of its grey values.

    Dimensionless, independent of gain and offset; the variance of the Laplacian is the focus
    measure of Pech-Pacheco et al. 2000 (ICPR 15, 314–317), here free of the cell's own contrast.
    """
    if min(pixels.shape, default=0) < 3:
        return 0.0
    _, spread = cv2.meanStdDev(pixels)
    if spread[0, 0] <= 0:
        return 0.0
    # Second differences of 8 bits fit into 16; those of 16 need floats.
    depth = cv2.CV_16S if pixels.dtype == np.uint8 else cv2.CV_32F
    _, edges = cv2.meanStdDev(cv2.Laplacian(pixels, depth))
    return float(edges[0, 0] / spread[0, 0])


def keep_best(views: list[View], view: View, number: int) -> None:
    """Insert a view into a list of at most ``number``, best first."""
    if len(views) == number and view.score <= views[-1].score:
        return
    views.append(view)
    views.sort(key=lambda one: (-one.score, one.frame))
    del views[number:]


def mask_of(view: View, shrink: int) -> NDArray[np.uint8]:
    """The cell's own pixels in a view, 0 or 255, at the resolution of the frame."""
    mask = np.zeros(view.contrast.shape, np.uint8)
    outline, offset = view.contour, (-view.left, -view.top)
    if shrink > 1:
        outline = np.rint(outline * float(shrink) + (shrink - 1) / 2).astype(np.int32)
    cv2.drawContours(mask, [outline], -1, 255, cv2.FILLED, offset=offset)
    return mask


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
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    values = np.sort(size[(depth > reach) & (depth <= 2 * reach + 1)])
    if values.size < 8:
        return mask
    half = 0.5 * float(values[values.size // 2])
    inside = cv2.threshold(cv2.blur(size, (3, 3)), half, 255, cv2.THRESH_BINARY)[1]
    # Paler parts deep inside are no edge; they would be filled as holes unless they open outwards.
    core = cv2.threshold(depth, reach + 1, 255, cv2.THRESH_BINARY)[1]
    kept = np.maximum(np.minimum(inside.astype(np.uint8), mask), core.astype(np.uint8))
    outlines, _ = cv2.findContours(kept, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    result = np.zeros_like(mask)
    cv2.drawContours(result, [max(outlines, key=len)], -1, 255, cv2.FILLED)
    return result


def draw(
    contrast: NDArray[np.float32],
    mask: NDArray[np.uint8],
    centre: tuple[float, float],
    *,
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
    diameter = sqrt(4 * max(cv2.countNonZero(mask), 1) / pi)
    alone = cv2.copyTo(contrast, cv2.dilate(mask, _disc(rim_of(diameter))))
    step = window_px / side
    if step > 1.2:
        # Without it, sampling every ``step`` pixels would fold noise and edges into the picture.
        alone = cv2.GaussianBlur(alone, (0, 0), 0.45 * sqrt(step**2 - 1))
    shift = step * (side - 1) / 2
    matrix = np.array([[step, 0, centre[0] - shift], [0, step, centre[1] - shift]])
    method = cv2.INTER_LINEAR if step > 0.7 else cv2.INTER_CUBIC
    drawn = cv2.warpAffine(alone, matrix, (side, side), flags=method | cv2.WARP_INVERSE_MAP)
    grey = cv2.addWeighted(drawn, 127 / full_scale, drawn, 0, 128, dtype=cv2.CV_8U)
    result: NDArray[np.uint8] = np.maximum(grey, np.uint8(1))
    return result


@lru_cache(maxsize=64)
def _disc(radius: int) -> NDArray[np.uint8]:
    size = 2 * radius + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)).astype(np.uint8)
