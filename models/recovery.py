"""From cells to cells per µL of blood, and from shares of cells to shares of blood.

cells × dilution ÷ imaged volume ÷ recovery; the recovery of an instrument is how many of the cells
that should be there it finds. It is fitted on mixed specimens, whose concentrations an analyser
told: log R ~ N(0, PRIOR_SD²) before any specimen is seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

PRIOR_SD = 0.15
# What a share misses by in phi = arcsin sqrt p, sampling included: about 4 points at one half.
_CLASS_GAP_SD = 0.04
_ANALYSER_CV, _SMALLEST_SD, _ASSUMED_SD = 0.02, 0.01, 0.05
# Ten times too many or too few cells is a wrong volume or dilution, no recovery.
_ABSURD = math.log(10)


@dataclass(frozen=True)
class Recovery:
    """Recovery of instruments, as logarithms.

    Parameters
    ----------
    log_total
        Of each instrument: mean and standard deviation of its log recovery. The empty name holds
        all instruments together.
    between_sd
        Standard deviation between specimens of one instrument, beyond the counting of cells.
    specimens
        How many specimens it rests on.
    """

    log_total: Mapping[str, tuple[float, float]]
    between_sd: float
    specimens: int


def concentration(cells: float, volume: float | None, dilution: float | None) -> float:
    """Cells per µL of blood without any recovery; NaN where volume or dilution is missing."""
    if not volume or not dilution or volume <= 0 or dilution <= 0:
        return math.nan
    return cells * dilution / volume


def fit_recovery(
    ratios: np.ndarray,
    cells: np.ndarray,
    instruments: Sequence[str | None],
) -> Recovery:
    """Fit the recovery of each instrument.

    Parameters
    ----------
    ratios
        (B,) log of found ÷ analyser concentration of each mixed specimen, NaN where unknown.
    cells
        (B,) leukocytes found.
    """
    good = np.isfinite(ratios) & (np.abs(ratios) < _ABSURD) & (cells > 0)
    values, counting = ratios[good], 1 / np.maximum(cells[good], 1) + _ANALYSER_CV**2
    names = [name or "" for name, ok in zip(instruments, good, strict=True) if ok]
    between = _between(values, counting)
    totals = {"": _posterior(values, counting + between**2)}
    for name in sorted(set(names) - {""}):
        mine = np.array([n == name for n in names])
        totals[name] = _posterior(values[mine], counting[mine] + between**2)
    return Recovery(totals, between, int(good.sum()))


def _between(values: np.ndarray, counting: np.ndarray) -> float:
    if len(values) < 3:
        return _ASSUMED_SD
    # A wrong analyser value must not widen every interval: the median is deaf to a few.
    spread = 1.4826 * float(np.median(np.abs(values - np.median(values))))
    both = 0.5 * (spread**2 + float(np.var(values, ddof=1)))
    excess = min(spread**2 * 2, both) - float(counting.mean())
    return math.sqrt(max(excess, _SMALLEST_SD**2))


def _posterior(values: np.ndarray, variance: np.ndarray) -> tuple[float, float]:
    precision = 1 / PRIOR_SD**2 + float((1 / variance).sum())
    return float((values / variance).sum()) / precision, math.sqrt(1 / precision)


def total_concentration(
    cells: float, volume: float | None, dilution: float | None, instrument: str | None, r: Recovery
) -> tuple[float, float, float]:
    """Leukocytes per µL of blood with its 95 % limits; NaN where it cannot be said."""
    raw = concentration(cells, volume, dilution)
    if math.isnan(raw):
        return math.nan, math.nan, math.nan
    # An instrument that no mixed specimen was filmed on may recover anything the prior allows.
    fallback = (r.log_total[""][0], PRIOR_SD) if instrument else r.log_total[""]
    mean, sd = r.log_total.get(instrument or "", fallback)
    value = raw * math.exp(-mean)
    counting = 1 / max(cells, 1.0)
    half = _factor(r.specimens) * math.sqrt(sd**2 + r.between_sd**2 + counting)
    low, high = value * math.exp(-half), value * math.exp(half)
    if cells < 1:
        # No cell at all: the rule of three.
        high = concentration(3.0, volume, dilution) * math.exp(-mean)
    return value, low, high


def recovery_limits(r: Recovery, instrument: str) -> tuple[float, float]:
    """95 % limits of an instrument's recovery itself, specimens' own scatter left aside."""
    mean, sd = r.log_total[instrument]
    half = _factor(r.specimens) * sd
    return math.exp(mean - half), math.exp(mean + half)


def _factor(specimens: int) -> float:
    return float(stats.t.ppf(0.975, max(specimens - 1, 4)))


def fit_class_recovery(found: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How much more of each class is found than is in the blood, from specimens that tell.

    p_k ∝ found_k / R_k with log R_k ~ N(0, PRIOR_SD²): in equal parts what the instrument loses and
    what the network takes for another class whatever the specimen.

    Parameters
    ----------
    found, known
        (B, K) shares of held-out specimens; rows with NaN are left out.

    Returns
    -------
    R and the standard deviation of its logarithm, (K,); ones and ``PRIOR_SD`` without any row.
    """
    rows = np.isfinite(found).all(1) & np.isfinite(known).all(1)
    found, goal = found[rows], np.arcsin(np.sqrt(np.clip(known[rows], 0, 1)))
    k = found.shape[1]
    if not len(found):
        return np.ones(k), np.full(k, PRIOR_SD)

    def misses(log_r: np.ndarray) -> np.ndarray:
        blood = found / np.exp(log_r)
        blood = blood / blood.sum(1, keepdims=True)
        gap = (np.arcsin(np.sqrt(np.clip(blood, 0, 1))) - goal) / _CLASS_GAP_SD
        return np.append(gap.ravel(), log_r / PRIOR_SD)

    # A specimen mixed up with another must not move every other one: soft_l1 grows linearly.
    solved = optimize.least_squares(misses, np.zeros(k), loss="soft_l1")
    sd = np.sqrt(np.diag(np.linalg.inv(solved.jac.T @ solved.jac)))
    return np.exp(solved.x), np.minimum(sd, PRIOR_SD)
