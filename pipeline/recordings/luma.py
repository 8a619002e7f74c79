"""The luma plane of a video as its gray picture, without the way over colour and back.

Most videos store brightness as a plane of its own. Where it agrees with the gray of the converted
picture in the first frame, it is taken as it is from there on, which halves the time of decoding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
from numpy.typing import NDArray

#: Planar formats of 8 bits, by the name FFmpeg gives them.
_PLANAR = {"I420", "Y42B", "444P", "Y800", "GREY"}
#: Grey values by which rounding over three colours may differ.
_SAME = 3


@dataclass(frozen=True, slots=True)
class Luma:
    """How the plane becomes gray: as it is, or from video range to full range."""

    stretched: bool

    def gray(self, plane: NDArray[Any]) -> NDArray[Any]:
        """Grey values 0–255 of a plane (H, W) uint8, which is changed."""
        if self.stretched:
            # Not at the top: whoever only looks at other recordings need not load what compiles.
            from pipeline.kernels.stretch import stretch  # noqa: PLC0415

            # Half a grey less than the linear map: the decoder's own conversion rounds down.
            stretch(plane.reshape(-1))
        return plane


def direct_luma(
    converted: cv2.VideoCapture, raw: cv2.VideoCapture, first: NDArray[Any]
) -> tuple[Luma, NDArray[Any]] | None:
    """Let ``raw`` give planes, read its first frame, and say how it becomes gray.

    Parameters
    ----------
    converted
        A capture of the same file that has given its first frame.
    raw
        Another, unread.
    first
        (H, W) uint8, gray of the first frame as converted.

    Returns
    -------
    tuple of Luma and (H, W) uint8, or None
        The first frame as it is from here on; ``None`` where the planes are not what is wanted:
        then ``raw`` is of no use.
    """
    code = int(converted.get(cv2.CAP_PROP_CODEC_PIXEL_FORMAT))
    name = code.to_bytes(4, "little", signed=False).decode("ascii", "replace") if code > 0 else ""
    if name not in _PLANAR or not raw.set(cv2.CAP_PROP_CONVERT_RGB, 0):
        return None
    # OpenCV warns at every frame that it takes the plane for a gray picture: as is wanted.
    log = cv2.utils.logging
    log.setLogLevel(min(log.getLogLevel(), log.LOG_LEVEL_ERROR))
    try:
        good, plane = raw.read()
    except cv2.error:
        return None
    if not good or plane is None or plane.shape != first.shape or plane.dtype != first.dtype:
        return None
    for luma in (Luma(stretched=True), Luma(stretched=False)):
        gray = luma.gray(plane.copy())
        if int(cv2.absdiff(gray, first).max()) <= _SAME:
            return luma, gray
    return None
