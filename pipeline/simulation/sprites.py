"""Pictures of single cells: how much light each pixel of a cell takes away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np

from pipeline.simulation.looks import Look, Preparation

EDGE_UM = 0.25  # softness of a drawn outline before the optics


@dataclass(frozen=True)
class Sprite:
    """One cell as it takes light away.

    Parameters
    ----------
    absorption
        (h, w) float32, share of the light taken away, 0 outside the cell.
    radius
        Radius in pixels of the disc with the cell's area.
    source
        Name of the picture it was made of; empty if it was drawn.
    """

    absorption: np.ndarray
    radius: float
    source: str = ""


def draw_cell(
    look: Look,
    preparation: Preparation,
    rng: np.random.Generator,
    *,
    pixel_size_um: float,
    scale: float,
    blur_um: float,
) -> Sprite:
    """Draw a cell of a class; ``blur_um`` is its own, beside that of the preparation."""
    diameter = max(rng.normal(look.diameter_um, look.diameter_sd), 0.55 * look.diameter_um)
    radius = diameter * preparation.size * scale / pixel_size_um / 2
    side = 2 * int(np.ceil(radius * 1.3 + 4)) + 1
    y, x = (np.mgrid[:side, :side] - side // 2).astype(np.float32) / np.float32(radius)
    edge = max(EDGE_UM * scale / pixel_size_um, 0.5) / radius
    body = _outline(x, y, look, rng, edge)
    swollen = replace(look, fill=min(look.fill * preparation.nucleus_size, 0.92))
    nucleus = _nucleus(x, y, swollen, rng, edge) * body
    grain = _texture(side, look.grain_um * scale / pixel_size_um, rng)
    chromatin = _texture(side, 0.6 * scale / pixel_size_um, rng)
    # Stains differ from cell to cell as well as from donor to donor.
    stain = float(np.exp(rng.normal(0, 0.09)))
    spread = look.granularity * preparation.granularity * float(np.exp(rng.normal(0, 0.25)))
    pale = look.cytoplasm_absorption * preparation.cytoplasm * stain
    cytoplasm = np.maximum(pale + spread * grain, 0.4 * pale)
    core = look.nucleus_absorption * preparation.nucleus * stain + 0.05 * chromatin
    if look.nucleus == "hidden":  # grains lie over the nucleus
        core = 0.5 * (core + cytoplasm) + 0.6 * spread * grain
    absorption = body * cytoplasm + nucleus * (core - cytoplasm)
    blur = float(np.hypot(preparation.blur_um, blur_um)) / pixel_size_um
    absorption = soften(absorption * preparation.contrast, blur)
    return Sprite(np.clip(absorption, 0, 0.92).astype(np.float32), radius)


def draw_particle(
    diameter_um: float, absorption: float, rng: np.random.Generator, *, pixel_size_um: float
) -> Sprite:
    """Draw debris: a small, uneven, soft blob."""
    true_radius = diameter_um / pixel_size_um / 2
    radius = max(true_radius, 0.6)
    absorption *= (true_radius / radius) ** 2  # less than a pixel darkens the pixel by its share
    side = 2 * int(np.ceil(radius * 1.6 + 3)) + 1
    y, x = (np.mgrid[:side, :side] - side // 2).astype(np.float32)
    angle, ratio = rng.uniform(0, np.pi), rng.uniform(1.0, 1.7)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    distance = np.hypot(along / np.sqrt(ratio), across * np.sqrt(ratio))
    blob = absorption / (1 + np.exp((distance - radius) / max(0.25 * radius, 0.4)))
    return Sprite(soften(blob.astype(np.float32), rng.uniform(0.1, 0.5) / pixel_size_um), radius)


def soften(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur by ``sigma`` pixels; the picture grows so that nothing is cut off."""
    if sigma < 0.15:
        return picture
    border = int(np.ceil(2.5 * sigma))
    grown = cv2.copyMakeBorder(
        picture.astype(np.float32), *(border,) * 4, cv2.BORDER_CONSTANT, value=0
    )
    return cv2.GaussianBlur(grown, (0, 0), sigma)


def _outline(
    x: np.ndarray, y: np.ndarray, look: Look, rng: np.random.Generator, edge: float
) -> np.ndarray:
    angle = np.arctan2(y, x)
    radius = np.ones_like(x)
    for wave in range(2, 6):
        height = rng.normal(0, look.roughness * (2.0 if wave == 2 else 1.0))
        radius += np.float32(height) * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
    return _soft(radius - np.hypot(x, y), edge)


def _soft(inside: np.ndarray, edge: float) -> np.ndarray:
    return np.clip(inside / (2 * edge) + 0.5, 0, 1).astype(np.float32)


def _nucleus(
    x: np.ndarray, y: np.ndarray, look: Look, rng: np.random.Generator, edge: float
) -> np.ndarray:
    turn = rng.uniform(0, 2 * np.pi)
    fill = look.fill * float(np.exp(rng.normal(0, 0.08)))
    if look.nucleus in ("lobes", "hidden"):
        number = int(rng.integers(look.lobes[0], look.lobes[1] + 1))
        return _lobes(x, y, fill, number=number, rng=rng, edge=edge)
    off = rng.uniform(0, max(0.92 - fill, 0.02))
    cx, cy = off * np.cos(turn), off * np.sin(turn)
    squeeze = rng.uniform(0.85, 1.0)
    u = (x - cx) * np.cos(turn) + (y - cy) * np.sin(turn)
    v = (y - cy) * np.cos(turn) - (x - cx) * np.sin(turn)
    whole = _soft(fill - np.hypot(u / squeeze, v), edge)
    if look.nucleus == "round":
        return whole
    # A kidney: a bite of varying depth; with a shallow one it looks like a large lymphocyte.
    depth = rng.uniform(0.0, 0.55) * fill
    bite = _soft(0.75 * fill - np.hypot(u - (1.75 * fill - depth), v), edge)
    return whole * (1 - bite)


def _lobes(
    x: np.ndarray, y: np.ndarray, fill: float, *, number: int, rng: np.random.Generator, edge: float
) -> np.ndarray:
    # Lobes along an open arc, joined by thin bridges.
    start, span = rng.uniform(0, 2 * np.pi), rng.uniform(0.9, 1.5) * np.pi
    angles = start + np.linspace(0, span, number) + rng.normal(0, 0.15, number)
    ring = rng.uniform(0.38, 0.56)
    lobe = fill * (2.6 / (number + 0.6)) ** 0.5 * rng.uniform(0.85, 1.15, number)
    centres = np.stack([np.cos(angles), np.sin(angles)], axis=1) * ring
    inside = np.full_like(x, -1.0)
    for (cx, cy), size in zip(centres, lobe, strict=True):
        inside = np.maximum(inside, size - np.hypot(x - cx, y - cy))
    for (ax, ay), (bx, by) in pairwise(centres):
        dx, dy = bx - ax, by - ay
        along = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy + 1e-6), 0, 1)
        inside = np.maximum(inside, 0.09 - np.hypot(x - ax - along * dx, y - ay - along * dy))
    return _soft(inside, edge)


def _texture(side: int, grain: float, rng: np.random.Generator) -> np.ndarray:
    noise = rng.standard_normal((side, side), dtype=np.float32)
    if grain < 0.4:
        return noise * np.float32(grain)
    smooth = cv2.GaussianBlur(noise, (0, 0), grain)
    return smooth * np.float32(2 * np.sqrt(np.pi) * grain)  # back to unit spread
