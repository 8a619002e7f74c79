"""Crops → what the network sees: contrast and size freed of the donor, 48 pixels wide."""

from __future__ import annotations

import numpy as np
import torch
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as transform

from models.network import INPUT_SIDE

# Where the typical cell of a study is put: its contrast on a scale of 1, its diameter in windows.
TYPICAL_CONTRAST, TYPICAL_DIAMETER = 0.5, 0.78
_CHUNK = 1024


def prepare(crops: np.ndarray, look: np.ndarray, device: torch.device) -> torch.Tensor:
    """Normalise a specimen's crops.

    Parameters
    ----------
    crops
        (n, V, S, S) uint8, 128 the background; read in pieces, so a memory map is fine.
    look
        (2,) log contrast and log diameter (in windows) of this specimen's typical cell, the part
        its composition explains taken off.

    Returns
    -------
    (n, V, 48, 48) uint8 on ``device``: four times less memory than floats, and the eight bits are
    all that the camera gave.
    """
    views = crops.shape[1] if crops.ndim == 4 else 1
    out = torch.empty((len(crops), views, INPUT_SIDE, INPUT_SIDE), dtype=torch.uint8, device=device)
    gain = float(np.exp(np.log(TYPICAL_CONTRAST) - look[0]))
    scale = float(np.clip(np.exp(np.log(TYPICAL_DIAMETER) - look[1]), 0.5, 2.0))
    for start in range(0, len(crops), _CHUNK):
        part = torch.from_numpy(np.array(crops[start : start + _CHUNK])).to(device)
        out[start : start + len(part)] = _resample(part, gain, scale)
    return out


def to_window(crops: np.ndarray, window_um: float | None, wanted_um: float | None) -> np.ndarray:
    """Crops that show ``wanted_um`` instead of ``window_um``, so that studies can be compared.

    The same array where the two agree or one is not known; (n, V, S, S) uint8.
    """
    if not window_um or not wanted_um or abs(window_um / wanted_um - 1) < 0.005 or not len(crops):
        return crops
    ratio = window_um / wanted_um
    out = np.empty_like(np.asarray(crops))
    for start in range(0, len(crops), _CHUNK):
        part = torch.from_numpy(np.array(crops[start : start + _CHUNK]))
        out[start : start + len(part)] = _zoom(part, ratio).numpy()
    return out


def _resample(part: torch.Tensor, gain: float, scale: float) -> torch.Tensor:
    if abs(scale - 1) > 0.005:
        part = _zoom(part, scale)
    small = transform.resize(part, [INPUT_SIDE, INPUT_SIDE], antialias=True)
    return (128 + (small.float() - 128) * gain).round().clamp(0, 255).to(torch.uint8)


def _zoom(part: torch.Tensor, scale: float) -> torch.Tensor:
    zoomed: torch.Tensor = transform.affine(
        part,
        angle=0.0,
        translate=[0.0, 0.0],
        scale=scale,
        shear=[0.0, 0.0],
        interpolation=InterpolationMode.BILINEAR,
        fill=[128.0],
    )
    return zoomed
