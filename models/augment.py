"""Augmentation by what differs between donors and days, so that it cannot carry the class.

One draw a mini-bag, not a cell: a donor's stain, focus and magnification are common to its cells.
Chance is drawn, recorded, then applied.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as transform


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
    return (pictures.float() - 128.0) / 127.0


def draw_noise(
    shape: tuple[int, ...], generator: torch.Generator, device: torch.device
) -> torch.Tensor:
    """Standard normal numbers on ``device``; the same generator state gives the same ones."""
    if device.type != generator.device.type:  # numbers are made where they are needed
        seed = int(torch.randint(2**62, (1,), generator=generator))
        generator = torch.Generator(device).manual_seed(seed)
    return torch.empty(shape, device=device).normal_(generator=generator)


def apply_look(pictures: torch.Tensor, look: Look, noise: torch.Tensor) -> torch.Tensor:
    """Show cells under a look.

    Parameters
    ----------
    pictures
        (n, 1, H, W) float contrast, 0 the background.
    noise
        Of the same shape, standard normal.
    """
    out = transform.affine(
        pictures,
        angle=look.angle,
        translate=[look.shift[0], look.shift[1]],
        scale=look.scale,
        shear=[0.0, 0.0],
        interpolation=InterpolationMode.BILINEAR,
        fill=[0.0],
    )
    if look.flip:
        out = transform.horizontal_flip(out)
    if look.blur > 0.2:
        out = transform.gaussian_blur(out, kernel_size=[5, 5], sigma=[look.blur, look.blur])
    out = look.gain * out.sign() * out.abs().clamp_min(1e-4).pow(look.gamma)
    return out + look.noise * noise * (out.abs() > 0.02)
