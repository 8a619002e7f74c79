"""Pictures as files and as data addresses, so that a report is one file."""

from __future__ import annotations

import base64

import numpy as np
from numpy.typing import NDArray

from cellcensus.errors import CellcensusError

_SIGNATURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


def png_bytes(pixels: NDArray[np.uint8]) -> bytes:
    """A gray picture, uint8 (H, W), as a PNG file."""
    import cv2  # noqa: PLC0415  loads shared libraries: only where a picture is drawn

    done, encoded = cv2.imencode(".png", np.ascontiguousarray(pixels))
    if not done:
        raise CellcensusError("A cell picture could not be encoded.")
    return bytes(encoded.tobytes())


def png_address(pixels: NDArray[np.uint8]) -> str:
    """A gray picture, uint8 (H, W), as a PNG data address."""
    return _address("image/png", png_bytes(pixels))


def picture_kind(content: bytes) -> str | None:
    """``image/jpeg`` or ``image/png`` by the first bytes; ``None`` if it is neither."""
    return next((kind for sign, kind in _SIGNATURES.items() if content.startswith(sign)), None)


def picture_address(content: bytes) -> str | None:
    """A JPEG or PNG file as a data address; ``None`` if it is neither."""
    kind = picture_kind(content)
    return _address(kind, content) if kind else None


def _address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
