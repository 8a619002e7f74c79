"""The pictures that stand for a cell: which are kept, and how they are drawn.

A view is judged by completeness (not cut by the border), distance from neighbours and focus. Only
the pixels around a cell are kept while its track is open; the few pictures that win are drawn when
it is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import pi, sqrt
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.background import Background, weighted
from pipeline.kernels.crowd import gaps
from pipeline.kernels.inside import rim_contrast, within_edge
from pipeline.kernels.sharp import sharpness_of
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
    pixels, ground
        The part of the frame that holds the cell, and of the background at its time.
    gain, level
        Brightness of the frame over the background; grey value that contrast is measured in.
    left, top
        Where that part lies in the frame.
    contour
        Outline in pixels of the shrunk frame.
    cut, touching
        Whether the border cuts the cell, whether it was split from a blob.
    focus
        Sharpness, see `sharpness`.
    score
        Larger is better.
    """

    frame: int
    x: float
    y: float
    box: tuple[int, int, int, int]
    pixels: NDArray[Any]
    ground: NDArray[np.float32]
    gain: float
    level: float
    left: int
    top: int
    contour: NDArray[np.int32]
    cut: bool
    touching: bool
    focus: float
    score: float

    @property
    def contrast(self) -> NDArray[np.float32]:
        """(Frame − background) / background level, (h, w); made when it is asked for."""
        return weighted(self.pixels, 1 / (self.gain * self.level), self.ground, -1 / self.level)


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
        Of the detections as views.
    focus
        Sharpness of each.
    """

    index: int
    pixels: NDArray[Any]
    found: Detections
    background: Background
    scores: NDArray[np.float64]
    focus: NDArray[np.float64]


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

    def shot(self, frame: Any, found: Detections, background: Background) -> Shot:
        """A frame with its detections, each with focus and score.

        A view gains half a point for each factor e of its focus.
        """
        focus = sharpness_of(frame.pixels, found.box)
        scores = self.scores(found) + 0.5 * np.log(np.maximum(focus, 1e-6))
        return Shot(frame.index, frame.pixels, found, background, scores, focus)

    def scores(self, found: Detections) -> NDArray[np.float64]:
        """Score of each detection, but for its focus."""
        radius = np.sqrt(found.area / np.pi)
        apart = np.clip(gaps(found.x, found.y, radius) / np.maximum(radius, 1.0), 0.0, 1.0)
        height, width = self.shape
        depth = np.minimum(
            np.minimum(found.x, width - 1 - found.x), np.minimum(found.y, height - 1 - found.y)
        )
        # A cell whose centre lies outside stands for nothing unless there is no other view.
        shown = np.where(depth < 0, -9.0, 3 * np.clip(depth / np.maximum(radius, 1.0), 0.0, 1.0))
        return np.where(found.cut, shown, 4.0) + apart - 1.5 * found.touching

    def cut_out(self, shot: Shot, index: int) -> View:
        """Keep what is needed to draw one detection later."""
        found = shot.found
        left, top, width, height = box = tuple(found.box[index].tolist())
        room = rim_of(max(width, height)) + 2
        top, bottom = max(top - room, 0), top + height + room
        left, right = max(left - room, 0), left + width + room
        return View(
            frame=found.frame,
            x=float(found.x[index]),
            y=float(found.y[index]),
            box=box,
            pixels=shot.pixels[top:bottom, left:right].copy(),
            ground=shot.background.image[top:bottom, left:right].copy(),
            gain=found.gain,
            level=self.optics.level,
            left=left,
            top=top,
            contour=found.contours[index],
            cut=bool(found.cut[index]),
            touching=bool(found.touching[index]),
            focus=float(shot.focus[index]),
            score=float(shot.scores[index]),
        )


def rim_of(diameter: float) -> int:
    """Pixels around a cell's outline that are shown with it."""
    return max(1, round(_RIM * diameter))


def sharpness(pixels: NDArray[Any]) -> float:
    """Focus of a picture: deviation of its Laplacian over the deviation of its grey values.

    Dimensionless, independent of gain and offset; the variance of the Laplacian is the focus
    measure of Pech-Pacheco et al. 2000 (ICPR 15, 314–317), here free of the cell's own contrast.
    """
    height, width = pixels.shape
    return float(sharpness_of(pixels, np.array([[0, 0, width, height]]))[0])


def keep_best(views: list[View], view: View, number: int) -> None:
    """Insert a view into a list of at most ``number``, best first."""
    if len(views) == number and view.score <= views[-1].score:
        return
    views.append(view)
    views.sort(key=lambda one: (-one.score, one.frame))
    del views[number:]


def mask_of(view: View, shrink: int) -> NDArray[np.uint8]:
    """The cell's own pixels in a view, 0 or 255, at the resolution of the frame."""
    mask = np.zeros(view.pixels.shape, np.uint8)
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
    depth: NDArray[Any] = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    half = 0.5 * rim_contrast(size, depth, reach)
    if not half >= 0:
        return mask
    # Paler parts deep inside are no edge; they would be filled as holes unless they open outwards.
    smooth: NDArray[Any] = cv2.blur(size, (3, 3))
    kept = within_edge(smooth, depth, half, reach + 1)
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
    return np.maximum(np.asarray(grey, np.uint8), np.uint8(1))


@lru_cache(maxsize=64)
def _disc(radius: int) -> NDArray[np.uint8]:
    size = 2 * radius + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)).astype(np.uint8)
