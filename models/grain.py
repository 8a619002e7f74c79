"""Grain of a cell's inside at several scales: how strong, how skewed, spots or ridges."""

from __future__ import annotations

import itertools
from functools import cache

import torch

_SCALES = (0.8, 1.4, 2.2, 3.5, 5.5)  # sd of the blur, pixels of 48
_BENT = (1.4, 2.5)
_RIM = 2


def grain_columns(picture: torch.Tensor, inside: torch.Tensor) -> list[torch.Tensor]:
    """Of each picture, all without a unit.

    Parameters
    ----------
    picture
        (n, S, S) float contrast, 0 the background.
    inside
        (n, S, S) 1 where the cell is.

    Returns
    -------
    For each pair of neighbouring scales the log strength, skewness and log kurtosis of what lies
    between them; for two scales how the surface is bent; (n,) each.
    """
    core = eroded(inside, _RIM)
    blurred = [blur(picture, sd) for sd in _SCALES]
    columns = []
    for fine, coarse in itertools.pairwise(blurred):
        columns += _band(fine - coarse, core)
    for sd in _BENT:
        columns += _bends(blur(picture, sd), inside, core)
    return columns


def _band(band: torch.Tensor, core: torch.Tensor) -> list[torch.Tensor]:
    square = band.square()
    strength = mean_inside(square, core).sqrt()
    least = strength.clamp_min(1e-3)
    skewness = mean_inside(square * band, core) / least**3
    kurtosis = mean_inside(square.square(), core) / least**4
    return [(strength + 0.005).log(), skewness.clamp(-4, 4), kurtosis.clamp(0.5, 20).log()]


def _bends(surface: torch.Tensor, inside: torch.Tensor, core: torch.Tensor) -> list[torch.Tensor]:
    """From the Hessian: spots or ridges, hollow or raised; and the steepness."""
    down, along = _slope(surface, 1), _slope(surface, 2)
    yy, xx, xy = _slope(down, 1), _slope(along, 2), _slope(down, 2)
    determinant, trace = yy * xx - xy.square(), yy + xx
    spots = mean_inside(determinant.clamp_min(0), core) + 1e-7
    ridges = mean_inside((-determinant).clamp_min(0), core) + 1e-7
    steep = (down.square() + along.square() + 1e-8).sqrt()
    return [
        mean_inside(determinant, core) / mean_inside(trace.square(), core).clamp_min(1e-7),
        mean_inside((trace > 0).float(), core),
        (mean_inside(steep, inside) + 0.003).log(),
        (ridges / spots).log(),
    ]


def _slope(surface: torch.Tensor, axis: int) -> torch.Tensor:
    side = surface.shape[axis]
    out = torch.zeros_like(surface)
    ahead, behind = surface.narrow(axis, 2, side - 2), surface.narrow(axis, 0, side - 2)
    out.narrow(axis, 1, side - 2).copy_((ahead - behind) / 2)
    return out


def mean_inside(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over a mask, (n,); 0 where it is empty."""
    return (values * mask).sum((1, 2)) / mask.sum((1, 2)).clamp_min(1)


def eroded(mask: torch.Tensor, by: int = 1) -> torch.Tensor:
    """A mask of zeros and ones without its outermost pixels; beyond the picture is outside."""
    for _ in range(by):
        smaller = torch.zeros_like(mask)
        across = mask[:, :, 1:-1] * mask[:, :, :-2] * mask[:, :, 2:]
        smaller[:, 1:-1, 1:-1] = across[:, 1:-1] * across[:, :-2] * across[:, 2:]
        mask = smaller
    return mask


def blur(pictures: torch.Tensor, sd: float) -> torch.Tensor:
    """Gaussian blur, 0 beyond the picture; (n, S, S)."""
    band = _band_matrix(pictures.shape[-1], sd).to(pictures.device)
    return band @ pictures @ band


@cache
def _band_matrix(side: int, sd: float) -> torch.Tensor:
    # As a product with a band matrix: several times faster than a convolution of one channel.
    at = torch.arange(side, dtype=torch.float64)
    apart = at[:, None] - at
    reach = int(3 * sd + 1)
    weights = torch.exp(-apart.square() / (2 * sd**2)) * (apart.abs() <= reach)
    steps = torch.arange(-reach, reach + 1, dtype=torch.float64)
    return (weights / torch.exp(-steps.square() / (2 * sd**2)).sum()).float()
