"""The pictures of a report as JSON values, and back: so that it can be drawn again by itself."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import replace
from math import isfinite, nan
from typing import Any

import numpy as np

from reports.content import CellPicture, GalleryClass, SpecimenReport


def keep_pictures(content: SpecimenReport) -> dict[str, Any]:
    """The preview and the gallery of a report as JSON values."""
    return {
        "preview": None if content.preview is None else _text(content.preview),
        "gallery": [
            {
                "cell_class": shelf.cell_class,
                "typical": [_kept(cell) for cell in shelf.typical],
                "uncertain": [_kept(cell) for cell in shelf.uncertain],
            }
            for shelf in content.gallery
        ],
    }


def with_pictures(content: SpecimenReport, kept: Mapping[str, Any]) -> SpecimenReport:
    """The report with the pictures that :func:`keep_pictures` wrote down."""
    preview = kept.get("preview")
    return replace(
        content,
        preview=None if preview is None else base64.b64decode(preview),
        gallery=tuple(
            GalleryClass(
                shelf["cell_class"],
                tuple(_shown(cell) for cell in shelf["typical"]),
                tuple(_shown(cell) for cell in shelf["uncertain"]),
            )
            for shelf in kept.get("gallery", ())
        ),
    )


def _kept(cell: CellPicture) -> dict[str, Any]:
    return {
        "cell_id": cell.cell_id,
        "shape": list(cell.pixels.shape),
        "pixels": _text(zlib.compress(cell.pixels.tobytes(), 9)),
        "probability": cell.probability if isfinite(cell.probability) else None,
    }


def _shown(cell: Mapping[str, Any]) -> CellPicture:
    pixels = np.frombuffer(zlib.decompress(base64.b64decode(cell["pixels"])), dtype=np.uint8)
    probability = cell["probability"]
    return CellPicture(
        cell["cell_id"],
        pixels.reshape(cell["shape"]),
        nan if probability is None else probability,
    )


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
