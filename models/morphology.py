"""What a cell is built like, in some fifty plain numbers: outline, nucleus, rings, grain.

Measured on pictures whose contrast and size are freed of the donor. A network keeps only what tells
the classes it knows apart, and the few numbers of :mod:`models.shapes` see a kind of cell that
nobody named between two that were: told what to look for, they find two basophils in three at one
false alarm in a hundred, these nine in ten.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import torch

from models.grain import blur, eroded, grain_columns, mean_inside

# Small batches stay in the processor's cache; a GPU wants large ones.
_BATCH = {"cpu": 32, "cuda": 2048}
_SMOOTH, _EDGE, _LEAST, _BRIGHT, _FEWEST_PIXELS = 0.7, 0.3, 0.05, 20, 4.0
_RINGS = (0.0, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.15)  # in radii of the circle of the same area
_LEVELS = (0.05, 0.2, 0.4, 0.6, 0.8, 0.95)
_SMALLEST_PART = 0.02


def measure_morphology(pictures: torch.Tensor) -> np.ndarray:
    """Features of each cell, the mean over its pictures.

    Parameters
    ----------
    pictures
        (n, V, S, S) uint8 from :func:`models.pictures.prepare`, 128 the background.

    Returns
    -------
    (n, F) float32, all without a unit; finite for any picture, an empty one among them.
    """
    if not len(pictures):
        return measure_morphology(pictures.new_full((1, *pictures.shape[1:]), 128))[:0]
    batch = _BATCH.get(pictures.device.type, 32)
    parts = [_measure(part.flatten(0, 1)) for part in pictures.split(batch)]
    stacked = torch.cat(parts).reshape(len(pictures), pictures.shape[1], -1)
    return np.asarray(stacked.mean(1).cpu().numpy(), np.float32)


def _measure(pictures: torch.Tensor) -> torch.Tensor:
    picture = (pictures.float() - 128) / 127
    smooth = blur(picture, _SMOOTH)
    inside = _inside(smooth)
    area = inside.sum((1, 2)).clamp_min(_FEWEST_PIXELS)
    down, along = _from_centre(inside, area)
    level = mean_inside(smooth, inside)
    strength = level.abs() + 0.02
    ordered = torch.where(inside > 0, smooth, 9.0).flatten(1).sort(1).values
    limit, parted = _otsu(ordered, area)
    columns = [
        area.log(),
        *_outline(inside, area, down, along),
        strength.log(),
        *_rings(smooth, level, (down.square() + along.square()) / (area[:, None, None] / math.pi)),
        *[(_at(ordered, area * share) - level) / strength for share in _LEVELS],
        *_moments(smooth, inside, level),
        parted,
        *_nucleus(smooth, inside, limit, (down, along)),
        *grain_columns(picture, inside),
    ]
    return torch.nan_to_num(torch.stack(columns, dim=1), 0.0, 0.0, 0.0)


def _inside(smooth: torch.Tensor) -> torch.Tensor:
    depth = smooth.abs()
    peak = depth.flatten(1).topk(_BRIGHT, dim=1).values[:, -1]
    return (depth > (_EDGE * peak).clamp_min(_LEAST)[:, None, None]).float()


def _from_centre(mask: torch.Tensor, area: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows and columns counted from the middle of the mask, (n, S, 1) and (n, 1, S)."""
    side = mask.shape[-1]
    at = torch.arange(side, device=mask.device) - (side - 1) / 2
    y, x = mask.sum(2) @ at / area, mask.sum(1) @ at / area
    return (at - y[:, None])[:, :, None], (at - x[:, None])[:, None, :]


def _ellipse(
    mask: torch.Tensor, down: torch.Tensor, along: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Second moments of a mask: their sum, the log elongation and the determinant."""
    yy = mean_inside(down.square(), mask).clamp_min(0.05)
    xx = mean_inside(along.square(), mask).clamp_min(0.05)
    xy = mean_inside(down * along, mask)
    long = torch.hypot(yy - xx, 2 * xy) / (yy + xx)
    return yy + xx, (long + 0.02).log(), (yy * xx - xy.square()).clamp_min(1e-3)


def _outline(
    inside: torch.Tensor, area: torch.Tensor, down: torch.Tensor, along: torch.Tensor
) -> list[torch.Tensor]:
    """Elongation, how much of its ellipse the cell fills, and length of the edge."""
    _spread, elongation, determinant = _ellipse(inside, down, along)
    fill = (area / (4 * math.pi * determinant.sqrt())).log()
    return [elongation, fill, _edge(inside, area)]


def _edge(mask: torch.Tensor, area: torch.Tensor) -> torch.Tensor:
    edge = (mask - eroded(mask)).sum((1, 2)).clamp_min(1)
    return (edge.square() / area).log()


def _rings(smooth: torch.Tensor, level: torch.Tensor, far: torch.Tensor) -> list[torch.Tensor]:
    """Contrast and its spread in rings about the middle; ``far`` is the squared distance."""
    columns = []
    for low, high in itertools.pairwise(_RINGS):
        ring = ((far >= low**2) & (far < high**2)).float()
        mean = mean_inside(smooth, ring)
        variance = mean_inside(smooth.square(), ring) - mean.square()
        columns += [
            (mean - level) / (level.abs() + 0.02),
            (variance.clamp_min(0).sqrt() + 0.02).log(),
        ]
    return columns


def _moments(smooth: torch.Tensor, inside: torch.Tensor, level: torch.Tensor) -> list[torch.Tensor]:
    rest = smooth - level[:, None, None]
    square = rest.square()
    sd = mean_inside(square, inside).sqrt()
    skewness = mean_inside(square * rest, inside) / sd.clamp_min(1e-3) ** 3
    kurtosis = mean_inside(square.square(), inside) / sd.clamp_min(1e-3) ** 4
    return [(sd + 0.01).log(), skewness.clamp(-5, 5), kurtosis.clamp(0, 10)]


def _at(ordered: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    last = ordered.shape[1] - 1
    return ordered.gather(1, place.long().clamp(0, last)[:, None])[:, 0].clamp(-3, 3)


def _otsu(ordered: torch.Tensor, area: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The level that parts a cell's pixels best into dark and pale ones (Otsu 1979), and how well.

    How well is the share of the variance that lies between the two.
    """
    number = torch.arange(1, ordered.shape[1] + 1, device=ordered.device).float()
    total = ordered.cumsum(1)
    whole = _at_sum(total, area)
    rest = (area[:, None] - number).clamp_min(1)
    gap = total / number - (whole[:, None] - total) / rest
    gain = number * rest * gap.square()
    share = number / area[:, None]
    gain = torch.where((share > _SMALLEST_PART) & (share < 1 - _SMALLEST_PART), gain, -1.0)
    best, where = gain.max(1)
    squares = _at_sum(ordered.square().cumsum(1), area) / area
    variance = (squares - (whole / area).square()).clamp_min(1e-6)
    return _at(ordered, where.float()), (best / area.square() / variance).clamp(0, 1)


def _at_sum(total: torch.Tensor, area: torch.Tensor) -> torch.Tensor:
    return total.gather(1, (area.long() - 1).clamp_min(0)[:, None])[:, 0]


def _nucleus(
    smooth: torch.Tensor,
    inside: torch.Tensor,
    limit: torch.Tensor,
    place: tuple[torch.Tensor, torch.Tensor],
) -> list[torch.Tensor]:
    """Size, form, place and contrast of the dark part, and how even it and the rest are."""
    area = inside.sum((1, 2)).clamp_min(_FEWEST_PIXELS)
    dark = inside * (smooth <= limit[:, None, None])
    pale = inside - dark
    size = dark.sum((1, 2)).clamp_min(1)
    share = (size / area).clamp(0.02, 0.98)
    down, along = place
    y, x = mean_inside(down.expand_as(dark), dark), mean_inside(along.expand_as(dark), dark)
    spread, elongation, _ = _ellipse(dark, down - y[:, None, None], along - x[:, None, None])
    levels = [mean_inside(smooth, part) for part in (dark, pale)]
    evenness = [
        ((mean_inside(smooth.square(), part) - mean.square()).clamp_min(0).sqrt() + 0.01).log()
        for part, mean in zip((dark, pale), levels, strict=True)
    ]
    return [
        (share / (1 - share)).log(),
        torch.hypot(y, x) / (area / math.pi).sqrt(),
        (2 * math.pi * spread.clamp_min(0.1) / size).log(),
        elongation,
        _edge(dark, size),
        (levels[0] - levels[1]) / (mean_inside(smooth, inside).abs() + 0.02),
        *evenness,
    ]
