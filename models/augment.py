"""Augmentation by what differs between donors and days, so that it cannot carry the class.

One draw a mini-bag, not a cell: a donor's stain, focus and magnification are common to its cells.
Chance is drawn, recorded, then applied; to all mini-bags of a step at once, since a step is small
and every call costs as much as several pictures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch.nn import functional

# So many pictures of noise are drawn once for all; each cell gets one of them each time.
_GRAINS, _GRAIN_SEED = 1024, 0
_SHARP, _REACH = 0.2, 2  # pixels: a blur below the first cannot be seen, none goes farther
_FAINTEST, _CELL = 1e-4, 0.02


@dataclass(frozen=True)
class Look:
    """One drawn look: degrees, magnification, stain gain and exponent, blur (px), noise."""

    angle: float
    flip: bool
    shift: tuple[float, float]
    scale: float
    gain: float
    gamma: float
    blur: float
    noise: float


@dataclass(frozen=True)
class Spread:
    """How widely looks are drawn."""

    scale: float = 0.04
    gain: float = 0.10
    gamma: float = 0.10
    blur: float = 0.7
    noise: float = 0.03
    shift: float = 1.0


def draw_look(generator: torch.Generator, spread: Spread) -> Look:
    """Draw a look; the same generator state gives the same look."""
    normal = torch.randn(5, generator=generator).tolist()
    even = torch.rand(5, generator=generator).tolist()
    return Look(
        angle=360.0 * even[0],
        flip=even[1] < 0.5,
        shift=(spread.shift * normal[3], spread.shift * normal[4]),
        scale=math.exp(spread.scale * normal[0]),
        gain=math.exp(spread.gain * normal[1]),
        gamma=math.exp(spread.gamma * normal[2]),
        blur=spread.blur * max(0.0, 2 * even[2] - 1),  # half of the draws stay sharp
        noise=spread.noise * even[3],
    )


def to_contrast(pictures: torch.Tensor) -> torch.Tensor:
    """uint8 pictures, 128 the background → float contrast, −1 to 1."""
    return torch.sub(pictures, 128.0).div_(127.0)


def draw_grains(cells: int, generator: torch.Generator) -> torch.Tensor:
    """(n,) which picture of noise each cell gets."""
    return torch.randint(_GRAINS, (cells,), generator=generator)


def apply_looks(
    pictures: torch.Tensor, looks: Sequence[Look], grains: torch.Tensor
) -> torch.Tensor:
    """Show the cells of mini-bags, each mini-bag under its own look.

    Parameters
    ----------
    pictures
        (B, n, S, S) float contrast, 0 the background.
    looks
        B of them.
    grains
        (B × n,) numbers from :func:`draw_grains`.

    Returns
    -------
    Of the same shape.
    """
    side, device = pictures.shape[-1], pictures.device
    ways = torch.tensor([_way(look, side) for look in looks], device=device)
    one = [len(looks), 1, side, side]
    # The cells of a mini-bag are turned alike: as channels, they share one grid.
    grid = functional.affine_grid(ways, one, align_corners=False)
    out = functional.grid_sample(pictures, grid, align_corners=False)
    _blur(out, looks)
    gain, gamma, noise = (
        torch.tensor(values, device=device).view(-1, 1, 1, 1)
        for values in zip(*((look.gain, look.gamma, look.noise) for look in looks), strict=True)
    )
    depth = out.abs()
    # Noise of the stain is where there is stain: 1 there, 0 beside it.
    edge = torch.tensor(-_CELL / _FAINTEST, device=device)
    inside = torch.add(edge, depth, alpha=1 / _FAINTEST).clamp_(0, 1)
    # x times gain |x| ** (gamma - 1), by logarithms: fewest ways over the pictures.
    factor = torch.addcmul(gain.log(), depth.clamp_min_(_FAINTEST).log_(), gamma - 1).exp_()
    grain = torch.index_select(_noise(side, device), 0, grains.to(device)).view_as(out)
    return out.mul_(factor).addcmul_(inside.mul_(grain), noise)


def _way(look: Look, side: int) -> list[list[float]]:
    """Where each point of the result comes from, (2, 3), on −1 … 1: the way back of the look."""
    angle, scale = math.radians(look.angle), look.scale
    cos, sin = math.cos(angle) / scale, math.sin(angle) / scale
    x, y = (2 * step / side for step in look.shift)
    mirror = -1.0 if look.flip else 1.0
    return [
        [mirror * cos, sin, -cos * x - sin * y],
        [-mirror * sin, cos, sin * x - cos * y],
    ]


def _blur(pictures: torch.Tensor, looks: Sequence[Look]) -> None:
    """Blur, in place, the mini-bags whose look is not sharp: a product with a band on each side."""
    soft = [number for number, look in enumerate(looks) if look.blur > _SHARP]
    if not soft:
        return
    side, device = pictures.shape[-1], pictures.device
    sigma = torch.tensor([looks[number].blur for number in soft], device=device).view(-1, 1, 1, 1)
    at = torch.arange(side, device=device)
    apart = (at[:, None] - at).abs()
    # Cut off: numbers next to nothing are slow to reckon with.
    near = apart.clamp_max(_REACH) / sigma
    band = torch.exp(-0.5 * near.square()) * (apart <= _REACH)
    band = band / band.sum(-1, keepdim=True)
    chosen = torch.tensor(soft, device=device)
    pictures[chosen] = band @ pictures[chosen] @ band.transpose(-1, -2)


@cache
def _noise(side: int, device: torch.device) -> torch.Tensor:
    """(1024, S, S) standard normal numbers on a device, the same in every process."""
    generator = torch.Generator().manual_seed(_GRAIN_SEED)
    return torch.randn((_GRAINS, side, side), generator=generator).to(device)
