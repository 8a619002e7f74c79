"""95 % intervals of shares and concentrations, for the donor's blood.

Three errors add up: which cells happened to be filmed, what the networks disagree on, and how
donors differ in ways no cell shows. The last is estimated from held-out specimens, the analyser's
own noise taken off, as what donors differ by in the evidence for a class; how much that moves a
share is told by each specimen's own cells (`models.sway`). Sampling is reckoned with on the scale
phi = arcsin sqrt p, on which it has the same variance 1 / 4n for every share, so that rare classes
get sensible limits; the other two on the scale of shares, each side in quadrature.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from models.between import fit_between

LEVEL = 0.95
FEWEST_FOR_CONFORMAL = 19
# Where nothing was held out: about 10 points of a class that is half of the blood.
_UNTESTED_SD, _UNTESTED_DONORS = 10.0, 3


@dataclass(frozen=True)
class Errors:
    """What held-out specimens taught about the error of a composition.

    Parameters
    ----------
    between
        (K,) what donors differ by in the evidence for each class, as a standard deviation in units
        of log-likelihood; sampling and the analyser's noise are taken off.
    donors
        How many held-out donors it rests on.
    factor
        Half-widths in standard deviations: conformal over donors where there are enough,
        Student's t where not.
    conformal
        Which of the two.
    """

    between: np.ndarray
    donors: int
    factor: float
    conformal: bool


def transform(share: np.ndarray) -> np.ndarray:
    """Arcsine of the square root of shares, 0 to pi / 2."""
    return np.arcsin(np.sqrt(np.clip(share, 0, 1)))


def analyser_sd(share: np.ndarray, sd: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Standard deviation of an analyser's share on the transformed scale.

    d phi = dp / (2 sqrt(p (1 − p))); near 0 the share is not taken below half a cell.
    """
    least = 0.5 / np.maximum(cells, 1.0)
    p = np.clip(share, least, 1 - least)
    return sd / (2 * np.sqrt(p * (1 - p)))


def fit_errors(
    found: np.ndarray,
    known: np.ndarray,
    known_sd: np.ndarray,
    cells: np.ndarray,
    sways: np.ndarray,
) -> Errors:
    """Estimate the errors from held-out specimens, one a donor.

    Parameters
    ----------
    found, known, known_sd
        (B, K) shares found without the donor, the analyser's, and its standard deviation; NaN
        where not known.
    cells
        (B,) leukocytes of each specimen.
    sways
        (B, K) how far each share can be swayed.
    """
    donors = int(np.isfinite(known).any(axis=1).sum())
    if donors < 2:
        factor = float(stats.t.ppf(0.5 + LEVEL / 2, _UNTESTED_DONORS))
        return Errors(np.full(found.shape[1], _UNTESTED_SD), donors, factor, False)
    gap = found - known
    noise = _noise((found + known) / 2, known_sd, cells)
    between = fit_between(gap, noise, sways)
    score = np.abs(gap) / np.sqrt(np.square(between * sways) + noise)
    told = int(np.isfinite(gap).any(axis=0).sum())
    factor, conformal = _factor(score[np.isfinite(gap)], donors, told)
    return Errors(between, donors, factor, conformal)


def _noise(share: np.ndarray, sd: np.ndarray, cells: np.ndarray) -> np.ndarray:
    n = np.maximum(cells, 1.0)[:, None]
    return np.maximum(share * (1 - share), 0.5 / n) / n + np.square(sd)


def _factor(scores: np.ndarray, donors: int, told: int) -> tuple[float, bool]:
    # Errors of all classes tell what donors differ by; a recovery of each class was fitted on the
    # same donors, and shares add to 1.
    freedom = (donors - 1) * max(told - 1, 1)
    student = float(stats.t.ppf(0.5 + LEVEL / 2, freedom))
    if donors < FEWEST_FOR_CONFORMAL:
        return student, False
    # Split conformal over the donors' standardised errors; pooled over classes, because the
    # largest of 20 donors alone would be a very noisy limit for one class. Never below the normal
    # law's: an analyser that is better than it says makes the scores small, not the errors.
    normal = float(stats.norm.ppf(0.5 + LEVEL / 2))
    rank = min(1.0, np.ceil((len(scores) + 1) * LEVEL) / len(scores))
    return float(np.clip(np.quantile(scores, rank), normal, 1.5 * student)), True


def share_interval(
    share: np.ndarray, cells: float, errors: Errors, sways: np.ndarray, spread: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower and upper limit (K,) of shares, and their standard deviation.

    Parameters
    ----------
    share
        (K,) shares found.
    cells
        Leukocytes they rest on.
    sways
        (K,) how far each share can be swayed.
    spread
        (K,) this specimen's disagreement of the members: standard deviation of their mean.
    """
    n = max(cells, 1.0)
    centre, sampling = transform(share), errors.factor / (2 * np.sqrt(n))
    low = np.sin(np.clip(centre - sampling, 0, np.pi / 2)) ** 2
    # A class that was not seen may still be there: no upper limit below that of the rule of three.
    high = np.sin(np.clip(centre + sampling, 0, np.pi / 2)) ** 2
    high = np.maximum(high, np.minimum(1.0, 3.0 / n))
    # Members that disagree by more than donors differ say that this specimen is harder than those.
    model = np.maximum(errors.between * sways, spread)
    low = share - np.hypot(share - low, errors.factor * model)
    high = share + np.hypot(high - share, errors.factor * model)
    sd = np.sqrt(share * (1 - share) / n + np.square(model))
    return np.maximum(low, 0), np.minimum(high, 1), sd


def product_interval(
    share: np.ndarray,
    limits: tuple[np.ndarray, np.ndarray],
    total: float,
    total_limits: tuple[float, float],
) -> tuple[np.ndarray, np.ndarray]:
    """Limits of share × total, the two errors being independent: each side in quadrature."""
    low = np.hypot((share - limits[0]) * total, share * (total - total_limits[0]))
    high = np.hypot((limits[1] - share) * total, share * (total_limits[1] - total))
    return np.maximum(share * total - low, 0.0), share * total + high


def member_spread(shares: np.ndarray) -> np.ndarray:
    """Standard deviation (K,) of the mean of M members' shares (M, K)."""
    if len(shares) < 2:
        return np.zeros(shares.shape[1])
    spread: np.ndarray = shares.std(axis=0, ddof=1) / np.sqrt(len(shares))
    return spread
