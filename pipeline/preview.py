"""One picture a recording: some frames with the outlines of cells and the lines of their tracks."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.shown import Picture

_OUTLINE = (40, 140, 0)  # blue, green, red: seen on light and dark ground
_TRACK = (200, 90, 20)
_WIDEST = 640
_QUALITY = 80


def draw_preview(pictures: list[Picture]) -> NDArray[np.uint8]:
    """Frames with outlines and tracks, side by side.

    Parameters
    ----------
    pictures
        (frame index, (H, W) uint8, outlines, track lines), at least one.

    Returns
    -------
    ndarray
        (H', W', 3) uint8, blue first.
    """
    panels = [_panel(*picture) for picture in pictures]
    gap = np.full((panels[0].shape[0], 6, 3), 255, np.uint8)
    parts = [part for panel in panels for part in (panel, gap)][:-1]
    return np.hstack(parts)


def _panel(
    index: int,
    gray: NDArray[np.uint8],
    outlines: list[NDArray[np.int32]],
    lines: list[NDArray[np.int32]],
) -> NDArray[np.uint8]:
    picture = cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR)
    cv2.polylines(picture, lines, isClosed=False, color=_TRACK, thickness=1, lineType=cv2.LINE_AA)
    cv2.drawContours(picture, outlines, -1, _OUTLINE, 1)
    height, width = gray.shape
    if width > _WIDEST:
        size = (_WIDEST, max(1, round(height * _WIDEST / width)))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    cv2.putText(
        picture, f"frame {index}", (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, _OUTLINE, 1, cv2.LINE_AA
    )
    return np.asarray(picture, np.uint8)


def write_preview(path: Path, pictures: list[Picture]) -> None:
    """Write the preview as JPEG; nothing if there is no picture to show."""
    if not pictures:
        return
    good, coded = cv2.imencode(".jpg", draw_preview(pictures), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if good:
        path.write_bytes(coded.tobytes())
