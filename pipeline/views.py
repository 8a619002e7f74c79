"""The pictures that stand for a cell: which are kept, and how they are drawn.

A view is judged by completeness (not cut by the border), distance from neighbours and focus. Only
raw pixels are kept while a track is open; the few pictures that win are drawn when it is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.background import Background
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
    pixels
        Raw part of the frame.
    left, top
        Where that part lies in the frame.
    contour
        Outline in pixels of the shrunk frame.
    gain, background
        What the frame looked like without cells.
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
    box: NDArray[np.int64]
    pixels: NDArray[Any]
    left: int
    top: int
    contour: NDArray[np.int32]
    gain: float
    background: Background
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


class ViewFinder:
    """Cuts views out of frames and scores them.

    Parameters
    ----------
    optics
        Of the recording.
    window_px
        Side of the window that a stored picture shows, pixels of the frame.
    shape
        Height and width of a frame.
    """

    def __init__(self, optics: Optics, window_px: float, shape: tuple[int, int]) -> None:
        self.optics = optics
        self.half = int(np.ceil(window_px / 2)) + 2
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

    def cut_out(self, shot: Shot, index: int) -> View:
        """Keep what is needed to draw one detection later."""
        frame, found = shot.pixels, shot.found
        x, y = float(found.x[index]), float(found.y[index])
        left, top = max(int(x) - self.half, 0), max(int(y) - self.half, 0)
        pixels = frame[top : int(y) + self.half + 1, left : int(x) + self.half + 1].copy()
        box = found.box[index]
        focus = sharpness(
            pixels[
                max(box[1] - top, 0) : box[1] - top + box[3],
                max(box[0] - left, 0) : box[0] - left + box[2],
            ]
        )
        return View(
            frame=found.frame,
            x=x,
            y=y,
            box=box,
            pixels=pixels,
            left=left,
            top=top,
            contour=found.contours[index],
            gain=found.gain,
            background=shot.background,
            cut=bool(found.cut[index]),
            touching=bool(found.touching[index]),
            focus=focus,
            score=float(shot.scores[index]) + 0.5 * float(np.log(max(focus, 1e-6))),
        )


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
    _, edges = cv2.meanStdDev(cv2.Laplacian(pixels, cv2.CV_32F))
    return float(edges[0, 0] / spread[0, 0])


def keep_best(views: list[View], view: View, number: int) -> None:
    """Insert a view into a list of at most ``number``, best first."""
    if len(views) == number and view.score <= views[-1].score:
        return
    views.append(view)
    views.sort(key=lambda one: (-one.score, one.frame))
    del views[number:]


def contrast_of(view: View, level: float) -> NDArray[np.float32]:
    """(Frame − background) / level of a view's pixels, float32."""
    height, width = view.pixels.shape
    bare = view.background.image[view.top : view.top + height, view.left : view.left + width]
    return ((view.pixels / np.float32(view.gain) - bare) / np.float32(level)).astype(np.float32)


def mask_of(view: View, shrink: int) -> NDArray[np.uint8]:
    """The cell's own pixels in a view, 0 or 255, at the resolution of the frame."""
    outline = view.contour.astype(np.float64) * shrink + (shrink - 1) / 2
    outline -= (view.left, view.top)
    mask = np.zeros(view.pixels.shape, np.uint8)
    cv2.drawContours(mask, [np.rint(outline).astype(np.int32)], -1, 255, cv2.FILLED)
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
    inner = (depth > reach) & (depth <= 2 * reach + 1)
    if np.count_nonzero(inner) < 8:
        return mask
    half = 0.5 * float(np.median(size[inner]))
    kept = ((cv2.blur(size, (3, 3)) >= half) & (mask > 0)) | (depth > reach + 1)
    outlines, _ = cv2.findContours(
        kept.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    result = np.zeros_like(mask)
    cv2.drawContours(result, [max(outlines, key=cv2.contourArea)], -1, 255, cv2.FILLED)
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
    diameter = float(np.sqrt(4 * max(cv2.countNonZero(mask), 1) / np.pi))
    rim = 2 * max(1, round(_RIM * diameter)) + 1
    own = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (rim, rim)))
    alone = np.where(own > 0, contrast, np.float32(0))
    step = window_px / side
    if step > 1.2:
        # Without it, sampling every ``step`` pixels would fold noise and edges into the picture.
        alone = cv2.GaussianBlur(alone, (0, 0), 0.45 * float(np.sqrt(step**2 - 1)))
    shift = (side - 1) / 2
    matrix = np.array(
        [[step, 0, centre[0] - step * shift], [0, step, centre[1] - step * shift]], np.float64
    )
    method = cv2.INTER_LINEAR if step > 0.7 else cv2.INTER_CUBIC
    drawn = cv2.warpAffine(
        alone, matrix, (side, side), flags=method | cv2.WARP_INVERSE_MAP, borderValue=0.0
    )
    grey = 128 + 127 * np.clip(drawn / full_scale, -1, 1)
    result: NDArray[np.uint8] = np.rint(grey).astype(np.uint8)
    return result
