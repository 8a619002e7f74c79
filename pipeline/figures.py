"""Figures that say how good a recording is, collected while its frames go by."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellcensus.study import Acquisition, Mode, Polarity
from pipeline.grounds import Ground
from pipeline.linking import FlowField, Verdict
from pipeline.segment import Detections
from pipeline.still import dirt_share, text_lines

#: Share of a diameter below which two centres are taken for one; so that cells missed of simulated
#: dense recordings are what it says.
_ONE = 0.35
_POLARITY = {Polarity.DARK: -1.0, Polarity.BOTH: 0.0, Polarity.BRIGHT: 1.0}


class Figures:
    """Collects figures of a recording.

    Parameters
    ----------
    ground
        Background and optics.
    acquisition
        Pixel size and frame rate.
    shape
        Height and width of a frame.
    """

    def __init__(self, ground: Ground, acquisition: Acquisition, shape: tuple[int, int]) -> None:
        self.ground = ground
        self.acquisition = acquisition
        self.shape = shape
        self.flow: FlowField | None = None
        self.verdicts = np.zeros(len(Verdict), np.int64)
        self.slight = 0
        self.speeds: list[float] = []
        self._counts: list[int] = []
        self._touching = 0
        self._bubbles = 0
        self._gains: list[float] = []
        self._focus: list[float] = []
        self._whole = 0

    def see(self, found: Detections) -> None:
        """Take note of the detections of a frame and of their sharpness."""
        self._counts.append(len(found))
        self._touching += int(np.count_nonzero(found.touching))
        self._bubbles += found.oversized > 0
        self._gains.append(found.gain)
        focus, whole = found.usual
        if whole:
            # One number a frame: what is kept grows with the frames only.
            self._focus.append(focus)
            self._whole += whole

    def summary(self, table: dict[str, NDArray[Any]]) -> dict[str, float]:
        """All figures; NaN where nothing can be said."""
        counts = np.array(self._counts, float)
        gains = np.array(self._gains)
        optics, background = self.ground.optics, self.ground.background
        drift = (background.change() if background else 1.0) * _trend(gains)
        known = self.flow if self.flow is not None and self.flow.known else None
        diameter = table["diameter_um"]
        rate = self.acquisition.frame_rate_hz
        per_s = self.acquisition.pixel_size_um * rate if rate else float("nan")
        return (
            {
                "n_frames": float(len(counts)),
                "height": float(self.shape[0]),
                "width": float(self.shape[1]),
                "n_cells": float(len(diameter)),
                "cells_per_frame": float(counts.mean()) if counts.size else float("nan"),
                "cells_per_frame_max": float(counts.max()) if counts.size else float("nan"),
                "rate_variation": _rate_variation(table["first_frame"], len(counts)),
                "share_touching": self._touching / counts.sum() if counts.sum() else 0.0,
                "background_level": optics.level,
                "background_drift": float(drift - 1),
                "gain_sd": _flicker(gains),
                "noise": optics.noise / optics.level,
                "threshold": optics.low / optics.level,
                "cell_contrast": self._cell_contrast(table),
                "polarity": _POLARITY[optics.polarity],
                "diameter_px_min": optics.diameter_px[0],
                "diameter_px_max": optics.diameter_px[1],
                "diameter_px_50": _percentile(diameter, 50) / self.acquisition.pixel_size_um,
                "diameter_um_5": _percentile(diameter, 5),
                "diameter_um_50": _percentile(diameter, 50),
                "diameter_um_95": _percentile(diameter, 95),
                "flow_known": float(known is not None),
                "flow_direction_deg": float(np.degrees(np.arctan2(*known.direction[::-1])))
                if known
                else float("nan"),
                "flow_speed_px": float(np.median(self.speeds)) if self.speeds else float("nan"),
                "flow_speed_um_s": float(np.median(self.speeds)) * per_s
                if self.speeds
                else float("nan"),
                "flow_speed_range": _range(known.speed) if known else float("nan"),
                "static_dirt": float(self.verdicts[Verdict.STATIC]),
                "fleeting": float(self.verdicts[Verdict.FLEETING]),
                "fragments": float(self.verdicts[Verdict.FRAGMENT]),
                "slight": float(self.slight),
                "stuck_share": _stuck_share(table["n_frames"]),
                "bubble_share": self._bubbles / max(len(counts), 1),
            }
            | self._focus_figures()
            | self._still_figures()
            | self._coincidence(table, counts)
        )

    def _cell_contrast(self, table: dict[str, NDArray[Any]]) -> float:
        contrast = self.ground.optics.contrast / self.ground.optics.level
        if np.isfinite(contrast) or not len(table["contrast_mean"]):
            return contrast
        # Too faint to stand out in single frames.
        return float(np.nanmedian(np.abs(table["contrast_mean"])))

    def _still_figures(self) -> dict[str, float]:
        background = self.ground.background
        if background is None or self.ground.mode is Mode.EVENTS:
            return {}
        widest = self.ground.optics.diameter_px[1]
        return {
            "dirt_share": dirt_share(background.image, background.level, widest),
            "text_lines": float(text_lines(background.image, background.level)),
        }

    def _coincidence(
        self, table: dict[str, NDArray[Any]], counts: NDArray[np.float64]
    ) -> dict[str, float]:
        """Cells that others hid all the way, by their density in a frame.

        Centres nearer than `_ONE` diameters are taken for one.
        """
        diameter = table["diameter_um"] / self.acquisition.pixel_size_um
        if not counts.size or not len(diameter) or self.ground.mode is Mode.EVENTS:
            return {}
        one = np.pi * float(np.nanmean((_ONE * diameter) ** 2)) / (self.shape[0] * self.shape[1])
        hidden = hidden_share(float(counts.mean()), one)
        return {"coincidence": hidden, "n_cells_corrected": (1 + hidden) * len(diameter)}

    def _focus_figures(self) -> dict[str, float]:
        if not self._focus:
            return {"focus_median": float("nan"), "focus_drift": float("nan")}
        focus = np.array(self._focus)
        middle = float(np.median(focus))
        drift = float("nan")
        if self._whole >= 30 and len(focus) >= 3 and middle > 0:
            third = np.array_split(focus, 3)
            drift = (float(np.median(third[2])) - float(np.median(third[0]))) / middle
        return {"focus_median": middle, "focus_drift": drift}


def hidden_share(seen: float, one: float) -> float:
    """Points at random that are hidden by others, as a share of those seen.

    A point nearer than r to one seen before is not told from it. With a = π r², the n' that are
    seen fill n' a of the area A, so dn'/dn = 1 − n' a / A and n = −(A/a) ln(1 − n' a / A).

    Parameters
    ----------
    seen
        In a frame, on average.
    one
        a / A: area that one takes up, as a share of the frame.
    """
    filled = min(seen * one, 0.9)
    return float(-np.log1p(-filled) / filled - 1) if filled > 0 else 0.0


def _stuck_share(n_frames: NDArray[Any]) -> float:
    """Share of the cells that were seen several times as long as is usual."""
    if not len(n_frames):
        return float("nan")
    return float(np.mean(n_frames > 4 * np.median(n_frames) + 10))


def _trend(gains: NDArray[np.float64]) -> float:
    """Brightness of the last tenth of the frames over that of the first."""
    if gains.size < 10:
        return 1.0
    tenths = np.array_split(gains, 10)
    return float(np.median(tenths[-1]) / np.median(tenths[0]))


def _flicker(gains: NDArray[np.float64]) -> float:
    """Deviation of the brightness from frame to frame; a slow change is none."""
    return float(np.diff(gains).std() / np.sqrt(2)) if gains.size > 2 else float("nan")


def _percentile(values: NDArray[Any], share: float) -> float:
    finite = values[np.isfinite(values)]
    return float(np.percentile(finite, share)) if finite.size else float("nan")


def _range(speed: NDArray[np.float64]) -> float:
    """Slowest over fastest lane: 1 is plug flow."""
    return float(speed.min() / speed.max()) if speed.max() > 0 else float("nan")


def _rate_variation(first_frame: NDArray[Any], n_frames: int) -> float:
    """Variance over mean of new cells in tenths of the recording: 1 if they come at random."""
    if len(first_frame) < 50 or n_frames < 20:
        return float("nan")
    counts = np.histogram(first_frame, np.linspace(0, n_frames, 11))[0][1:-1]
    return float(counts.var(ddof=1) / max(counts.mean(), 1e-9))
