"""95 % intervals of shares and concentrations, for the donor's blood.

Three errors add up: which cells happened to be filmed, what the networks disagree on, and how
donors differ in ways no cell shows. The last is estimated from held-out specimens, the analyser's
own noise taken off. Donors with unusual blood are harder than others, so this error grows with how
far the composition found is from the usual one; by how much is told by the held-out specimens too.
Otherwise every normal donor would pay for the abnormal ones. All of it on the scale
phi = arcsin sqrt p, on which sampling has the same variance 1 / 4n for every share, so that rare
classes get sensible limits. One error lives on the scale of shares: cells of other classes that are
taken for this one, more or fewer than in other donors. It is nothing beside a common class, and
most of what is found of a very rare one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from models.between import fit_between

LEVEL = 0.95
FEWEST_FOR_CONFORMAL = 19
# Where nothing was held out: about what donors differ by in phi when a purified-only classifier
# is used (10 points at a share of one half).
_UNTESTED_SD, _UNTESTED_DONORS = 0.10, 3
# By how many of a donor's other cells more or fewer than usual are taken for a class, as a share
# (standard deviation). Held-out donors hardly tell: an analyser's own resolution hides it.
_STRAY = 0.003


@dataclass(frozen=True)
class Errors:
    """What held-out specimens taught about the error of a composition.

    Parameters
    ----------
    between
        (K,) standard deviation between donors in phi, sampling and analyser noise taken off, of a
        donor with the usual composition.
    usual
        (K,) the usual composition in phi.
    steepness
        The variance is ``between``² × (1 + steepness × squared distance from ``usual``).
    donors
        How many held-out donors it rests on.
    factor
        Half-widths in standard deviations: conformal over donors where there are enough,
        Student's t where not.
    conformal
        Which of the two.
    """

    between: np.ndarray
    usual: np.ndarray
    steepness: float
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
    found: np.ndarray, known: np.ndarray, known_sd: np.ndarray, cells: np.ndarray, classes: int
) -> Errors:
    """Estimate the errors from held-out specimens, one a donor.

    Parameters
    ----------
    found, known, known_sd
        (B, K) shares found without the donor, the analyser's, and its standard deviation; NaN
        where not known.
    cells
        (B,) leukocytes of each specimen.
    classes
        K, for when there is no row at all.
    """
    donors = int(np.isfinite(known).any(axis=1).sum())
    if donors < 2:
        factor = float(stats.t.ppf(0.5 + LEVEL / 2, _UNTESTED_DONORS))
        usual = transform(np.full(classes, 1 / classes))
        return Errors(np.full(classes, _UNTESTED_SD), usual, 0.0, donors, factor, False)
    gap = transform(found) - transform(known)
    noise = _noise(known, known_sd, cells)
    usual = np.median(transform(found), axis=0)
    far = np.square(transform(found) - usual).sum(axis=1)
    between = fit_between(gap, noise, far)
    variance = np.square(between.sd) * (1 + between.steepness * far)[:, None] + noise
    score = (np.abs(gap) / np.sqrt(variance))[np.isfinite(gap)]
    factor, conformal = _factor(score, donors)
    return Errors(between.sd, usual, between.steepness, donors, factor, conformal)


def _noise(known: np.ndarray, sd: np.ndarray, cells: np.ndarray) -> np.ndarray:
    n = np.maximum(cells, 1.0)[:, None]
    return 1 / (4 * n) + np.square(analyser_sd(known, sd, n))


def _factor(scores: np.ndarray, donors: int) -> tuple[float, bool]:
    student = float(stats.t.ppf(0.5 + LEVEL / 2, donors - 1))
    if donors < FEWEST_FOR_CONFORMAL:
        return student, False
    # Split conformal over the donors' standardised errors; pooled over classes, because the
    # largest of 20 donors alone would be a very noisy limit for one class. Never below the normal
    # law's: an analyser that is better than it says makes the scores small, not the errors.
    normal = float(stats.norm.ppf(0.5 + LEVEL / 2))
    rank = min(1.0, np.ceil((len(scores) + 1) * LEVEL) / len(scores))
    return float(np.clip(np.quantile(scores, rank), normal, 1.5 * student)), True


def share_interval(
    share: np.ndarray, cells: float, errors: Errors, spread: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower and upper limit (K,) of shares, and the standard deviation in phi.

    Parameters
    ----------
    share
        (K,) shares found.
    cells
        Leukocytes they rest on.
    spread
        (K,) this specimen's disagreement of the members: standard deviation of their mean.
    """
    n = max(cells, 1.0)
    far = float(np.square(transform(share) - errors.usual).sum())
    alone = np.square(errors.between) * (1 + errors.steepness * far)
    # What exceeds the usual disagreement says that this specimen is harder than those.
    model = np.maximum(alone, np.square(spread))
    sd = np.sqrt(1 / (4 * n) + model)
    centre = transform(share)
    low = np.sin(np.clip(centre - errors.factor * sd, 0, np.pi / 2)) ** 2
    # A class that was not seen may still be there: no upper limit below that of the rule of three.
    high = np.sin(np.clip(centre + errors.factor * sd, 0, np.pi / 2)) ** 2
    high = np.maximum(high, np.minimum(1.0, 3.0 / n))
    stray = errors.factor * _STRAY * (1 - share)
    low = share - np.hypot(np.maximum(share - low, 0), stray)
    high = share + np.hypot(np.maximum(high - share, 0), stray)
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
    """Standard deviation (K,) in phi of the mean of M members' shares (M, K)."""
    if len(shares) < 2:
        return np.zeros(shares.shape[1])
    spread: np.ndarray = transform(shares).std(axis=0, ddof=1) / np.sqrt(len(shares))
    return spread
