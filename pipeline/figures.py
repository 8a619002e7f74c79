"""Figures that say how good a recording is, collected while its frames go by."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellcensus.study import Acquisition, Polarity
from pipeline.grounds import Ground
from pipeline.linking import FlowField
from pipeline.segment import Detections

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
        self.verdicts: Counter[str] = Counter()
        self.slight = 0
        self.speeds: list[float] = []
        self._counts: list[int] = []
        self._touching = 0
        self._gains: list[float] = []
        self._focus: list[float] = []
        self._whole = 0

    def see(self, found: Detections, focus: NDArray[np.float64]) -> None:
        """Take note of the detections of a frame and of their sharpness."""
        self._counts.append(len(found))
        self._touching += int(np.count_nonzero(found.touching))
        self._gains.append(found.gain)
        whole = focus[~(found.cut | found.touching)]
        if whole.size:
            # One number a frame: what is kept grows with the frames only.
            self._focus.append(float(np.median(whole)))
            self._whole += whole.size

    def summary(self, table: dict[str, NDArray[Any]]) -> dict[str, float]:
        """All figures; NaN where nothing can be said."""
        counts = np.array(self._counts, float)
        gains = np.array(self._gains)
        optics, background = self.ground.optics, self.ground.background
        drift = background.level / background.first_level - 1 if background else 0.0
        known = self.flow if self.flow is not None and self.flow.known else None
        diameter = table["diameter_um"]
        rate = self.acquisition.frame_rate_hz
        per_s = self.acquisition.pixel_size_um * rate if rate else float("nan")
        return {
            "n_frames": float(len(counts)),
            "height": float(self.shape[0]),
            "width": float(self.shape[1]),
            "n_cells": float(len(diameter)),
            "cells_per_frame": float(counts.mean()) if counts.size else float("nan"),
            "cells_per_frame_max": float(counts.max()) if counts.size else float("nan"),
            "rate_variation": _rate_variation(table["first_frame"], len(counts)),
            "share_touching": self._touching / counts.sum() if counts.sum() else 0.0,
            "background_level": optics.level,
            "background_drift": float(drift),
            "gain_sd": float(gains.std()) if gains.size else float("nan"),
            "noise": optics.noise / optics.level,
            "threshold": optics.low / optics.level,
            "cell_contrast": optics.contrast / optics.level,
            "polarity": _POLARITY[optics.polarity],
            "diameter_px_min": optics.diameter_px[0],
            "diameter_px_max": optics.diameter_px[1],
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
            "static_dirt": float(self.verdicts["static"]),
            "fleeting": float(self.verdicts["fleeting"]),
            "fragments": float(self.verdicts["fragment"]),
            "slight": float(self.slight),
        } | self._focus_figures()

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
