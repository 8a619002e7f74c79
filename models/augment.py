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
#: The camera's steps of full contrast.
STEPS = 127.0
_FAINTEST, _CELL = 1e-4 * STEPS, 0.02 * STEPS


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


def draw_looks(number: int, generator: torch.Generator, spread: Spread) -> list[Look]:
    """Draw looks; the same generator state gives the same ones."""
    normal = torch.randn((number, 5), generator=generator).tolist()
    even = torch.rand((number, 4), generator=generator).tolist()
    return [
        Look(
            angle=360.0 * e[0],
            flip=e[1] < 0.5,
            shift=(spread.shift * n[3], spread.shift * n[4]),
            scale=math.exp(spread.scale * n[0]),
            gain=math.exp(spread.gain * n[1]),
            gamma=math.exp(spread.gamma * n[2]),
            blur=spread.blur * max(0.0, 2 * e[2] - 1),  # half of the draws stay sharp
            noise=spread.noise * e[3],
        )
        for n, e in zip(normal, even, strict=True)
    ]


def to_contrast(pictures: torch.Tensor) -> torch.Tensor:
    """uint8 pictures, 128 the background → float contrast, −1 to 1."""
    return torch.sub(pictures, 128.0).div_(STEPS)


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
        (B, n, S, S) uint8, 128 the background.
    looks
        B of them.
    grains
        (B × n,) numbers from :func:`draw_grains`.

    Returns
    -------
    (B, n, S, S) float contrast, 0 the background.
    """
    side, device = pictures.shape[-1], pictures.device
    said = torch.tensor([_numbers(look, side) for look in looks], device=device)
    factor, power, noise = said[:, 6:, None, None, None].unbind(1)
    # Steps of the camera's, the background 0: the topmost bit turned, a byte is signed.
    signed = pictures.bitwise_xor(128).view(torch.int8).float()
    # The cells of a mini-bag are turned alike: as channels, they share one grid.
    out = functional.grid_sample(signed, _grid(said, side), align_corners=False)
    for part, look in zip(out, looks, strict=True):
        if look.blur > _SHARP:
            _blur(part, _band(round(look.blur, 2), side, device))
    depth = torch.abs(out, out=signed)
    # Noise of the stain is where there is stain: 1 there, 0 beside it.
    inside = torch.gt(depth, _CELL, out=torch.empty_like(depth))
    # x times gain |x| ** (gamma - 1), by logarithms: fewest ways over the pictures.
    out.mul_(depth.clamp_min_(_FAINTEST).log_().mul_(power).add_(factor).exp_())
    grain = torch.index_select(_noise(side, device), 0, grains.to(device), out=depth.flatten(0, 1))
    return out.addcmul_(inside.mul_(grain.view_as(out)), noise)


def _numbers(look: Look, side: int) -> list[float]:
    """A look in nine numbers.

    Where each point of the result comes from (2 × 3, on −1 … 1: the way back of the look); and of
    the stain, on the camera's steps: log factor, exponent − 1, noise.
    """
    angle, scale = math.radians(look.angle), look.scale
    cos, sin = math.cos(angle) / scale, math.sin(angle) / scale
    x, y = (2 * step / side for step in look.shift)
    mirror = -1.0 if look.flip else 1.0
    way = [mirror * cos, sin, -cos * x - sin * y, -mirror * sin, cos, sin * x - cos * y]
    return [*way, math.log(look.gain) - look.gamma * math.log(STEPS), look.gamma - 1, look.noise]


def _grid(said: torch.Tensor, side: int) -> torch.Tensor:
    """(B, S, S, 2) where each point of the result comes from, for ``grid_sample``."""
    at = _places(side, said.device)
    across = said[:, 0:6:3, None] * at + said[:, 2:6:3, None]
    down = said[:, 1:6:3, None] * at
    return (down[..., None] + across[:, :, None, :]).permute(0, 2, 3, 1)


def _blur(pictures: torch.Tensor, band: torch.Tensor) -> None:
    """Blur (n, S, S) in place: a product with a band on each side."""
    across = pictures.flatten(0, 1) @ band.T
    torch.matmul(band, across.view_as(pictures), out=pictures)


@cache
def _band(sigma: float, side: int, device: torch.device) -> torch.Tensor:
    """(S, S) weights of a blur's neighbours, rows adding to 1."""
    at = torch.arange(side)
    apart = (at[:, None] - at).abs()
    # Cut off: numbers next to nothing are slow to reckon with.
    near = torch.exp(-0.5 * (apart.clamp_max(_REACH) / sigma).square()) * (apart <= _REACH)
    return (near / near.sum(-1, keepdim=True)).to(device)


@cache
def _places(side: int, device: torch.device) -> torch.Tensor:
    """(S,) the middles of a picture's pixels on −1 … 1."""
    return ((2 * torch.arange(side) + 1) / side - 1).to(device)


@cache
def _noise(side: int, device: torch.device) -> torch.Tensor:
    """(1024, S, S) standard normal numbers on a device, the same in every process."""
    generator = torch.Generator().manual_seed(_GRAIN_SEED)
    return torch.randn((_GRAINS, side, side), generator=generator).to(device)
