"""How cells look in one recording: polarity, noise and contrast, estimated from its frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cellcensus.settings import IngestSettings
from cellcensus.study import Acquisition, CellHints, Polarity
from pipeline.background import Background, is_lit, mode

#: A threshold never goes below this share of a cell's usual contrast: compression rings there.
_RINGING = 0.06
#: Fewest pixels across the smallest cell after shrinking the picture for detection.
_FINEST = 12.0
#: So many pixels of a frame tell its noise.
_ENOUGH = 80_000
#: Bright cells reach this share of the full scale: nine in ten of them, weighed by their contrast.
_REACH = 0.9


@dataclass(frozen=True, slots=True)
class Optics:
    """What segmentation needs to know.

    Parameters
    ----------
    polarity
        Of cells against the background.
    noise
        Standard deviation of the blurred background, grey values.
    contrast
        Usual extreme contrast of a cell, grey values; NaN where nothing stands out.
    mass
        Usual contrast of a cell summed over the pixels of the shrunk frame; NaN likewise.
    low, high
        Difference from the background, grey values: of every pixel of a cell, and of its peak.
    diameter_px
        Smallest and largest diameter of a cell in pixels of the frame.
    shrink
        Whole number by which frames are shrunk for detection.
    level
        Difference in grey value that is a contrast of 1: the background's value, which what is
        darker cannot exceed; that of bright cells where they stand out by more.
    """

    polarity: Polarity
    noise: float
    contrast: float
    mass: float
    low: float
    high: float
    diameter_px: tuple[float, float]
    shrink: int
    level: float


def blur(image: NDArray[Any]) -> NDArray[Any]:
    """Light smoothing that detection and the estimate of noise share."""
    return cv2.GaussianBlur(image, (3, 3), 0)


def diameter_range_px(
    acquisition: Acquisition, hints: CellHints, settings: IngestSettings
) -> tuple[float, float]:
    """Smallest and largest cell in pixels, as the study says or from physiology."""
    smallest, largest = hints.diameter_um or (settings.smallest_um, settings.largest_um)
    return smallest / acquisition.pixel_size_um, largest / acquisition.pixel_size_um


def estimate_optics(
    frames: Sequence[NDArray[Any]],
    backgrounds: Sequence[Background],
    *,
    diameter_px: tuple[float, float],
    polarity: Polarity | None,
    noise_factor: float,
) -> Optics:
    """Estimate how cells look from a sample of frames.

    Parameters
    ----------
    frames
        (H, W) frames, about a dozen, spread over the recording.
    backgrounds
        Background of each frame.
    diameter_px
        Expected smallest and largest diameter.
    polarity
        As the study says, or ``None``.
    noise_factor
        Threshold in standard deviations of the noise.
    """
    shrink = max(1, int(diameter_px[0] / _FINEST))
    residuals = _residuals(frames, backgrounds, shrink)
    noise = float(np.median([_spread(residual) for residual in residuals]))
    level = float(np.median([background.level for background in backgrounds]))
    brightest = float(np.median([np.percentile(frame[::4, ::4], 99.9) for frame in frames]))
    found = polarity or _polarity(residuals, noise, level < 0.25 * brightest)
    smallest_step = 2.0 if np.issubdtype(frames[0].dtype, np.uint8) else 1.0
    low = max(noise_factor * noise, smallest_step)
    things = _things(residuals, found, low, diameter_px[0] / shrink)
    contrast, mass = (
        _weighted(values, things.masses, 0.5) for values in (things.usual, things.masses)
    )
    if np.isfinite(contrast):
        low = max(low, _RINGING * contrast)
    return Optics(
        polarity=found,
        noise=noise,
        contrast=contrast,
        mass=mass,
        low=low,
        high=max(1.6 * low, 0.12 * contrast if np.isfinite(contrast) else 0.0),
        diameter_px=diameter_px,
        shrink=shrink,
        level=max(level, _brightness(things, found, brightest - level), 1.0),
    )


def shrunk(image: NDArray[Any], shrink: int) -> NDArray[Any]:
    """Area-averaged picture, ``shrink`` times smaller in both directions."""
    if shrink == 1:
        return image
    size = (max(image.shape[1] // shrink, 1), max(image.shape[0] // shrink, 1))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _residuals(
    frames: Sequence[NDArray[Any]], backgrounds: Sequence[Background], shrink: int
) -> list[NDArray[np.float32]]:
    """What frames show besides the background; those filmed without light are left out."""
    gains = [background.gain(frame) for frame, background in zip(frames, backgrounds, strict=True)]
    every = list(zip(frames, backgrounds, gains, strict=True))
    lit = [one for one in every if is_lit(one[2])]
    return [_residual(*one, shrink) for one in lit or every]


def _residual(
    frame: NDArray[Any], background: Background, gain: float, shrink: int
) -> NDArray[np.float32]:
    even = frame / np.float32(gain) - background.image
    result: NDArray[np.float32] = blur(shrunk(even.astype(np.float32), shrink))
    return result


def _spread(residual: NDArray[np.float32]) -> float:
    """Deviation of the bare background: the quieter side of its mode, where cells do not reach."""
    stride = max(2, round((residual.size / _ENOUGH) ** 0.5))
    values = residual[::stride, ::stride].ravel()
    centre = mode(values)
    sides = (centre - values[values < centre], values[values > centre] - centre)
    # 68 % of one half of a normal distribution lie within one deviation.
    found = [float(np.percentile(side, 68.27)) for side in sides if side.size > 0.1 * values.size]
    return min(found, default=0.0)


def _polarity(
    residuals: Sequence[NDArray[np.float32]], noise: float, dark_ground: bool
) -> Polarity:
    """Compare what stands out below and above the background; halos must not make cells 'both'."""
    cut = max(6 * noise, 3.0)
    below = sum(float(-residual[residual < -cut].sum()) for residual in residuals)
    above = sum(float(residual[residual > cut].sum()) for residual in residuals)
    if above > 4 * below:
        return Polarity.BRIGHT
    if below > 4 * above:
        return Polarity.DARK
    if below + above < 50 * cut:
        return Polarity.BRIGHT if dark_ground else Polarity.DARK
    return Polarity.BOTH


def signed(residual: NDArray[np.float32], polarity: Polarity) -> NDArray[np.float32]:
    """Contrast that grows towards a cell, whatever the polarity."""
    if polarity is Polarity.DARK:
        return -residual
    return residual if polarity is Polarity.BRIGHT else np.abs(residual)


@dataclass(frozen=True)
class _Things:
    """What stands out and is as large as a cell; contrasts in grey values.

    Parameters
    ----------
    usual, highest
        90th and 99th percentile of the contrast of each.
    masses
        Contrast of each summed over its area.
    """

    usual: list[float]
    highest: list[float]
    masses: list[float]


def _things(
    residuals: Sequence[NDArray[np.float32]], polarity: Polarity, low: float, smallest: float
) -> _Things:
    found = _Things([], [], [])
    for residual in residuals:
        contrast = signed(residual, polarity)
        mask = (contrast > 1.5 * low).astype(np.uint8)
        # Two bytes a label take a third of the time, and are enough for one a pixel of the mask.
        kind = cv2.CV_16U if cv2.countNonZero(mask) < 2**16 - 1 else cv2.CV_32S
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=kind)
        for index in range(1, count):
            if stats[index, cv2.CC_STAT_AREA] >= 0.6 * smallest**2:
                left, top, width, height = stats[index, :4]
                part = np.s_[top : top + height, left : left + width]
                values = contrast[part][labels[part] == index]
                usual, highest = np.percentile(values, [90, 99]).tolist()
                found.usual.append(usual)
                found.highest.append(highest)
                found.masses.append(float(values.sum()))
    return found


def _brightness(things: _Things, polarity: Polarity, brightest: float) -> float:
    """Contrast of bright cells that is to fill the scale, grey values; 0 of dark ones.

    ``brightest`` stands in where nothing as large as a cell is seen.
    """
    if polarity is Polarity.DARK:
        return 0.0
    highest = _weighted(things.highest, things.masses, 0.9) / _REACH
    return highest if np.isfinite(highest) else brightest


def _weighted(values: list[float], weights: list[float], share: float) -> float:
    """Quantile of weighted values, NaN of none.

    What is seen is weighed by its mass: debris is more frequent than cells at times, but never
    holds more contrast in all.
    """
    if not values:
        return float("nan")
    order = np.argsort(values, kind="stable")
    below = np.cumsum(np.array(weights)[order])
    return float(np.array(values)[order][np.searchsorted(below, below[-1] * share)])
