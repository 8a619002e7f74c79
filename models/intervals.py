"""95 % intervals of shares and concentrations, for the donor's blood.

Three errors add up: which cells happened to be filmed, what the networks disagree on, and how
donors differ in ways no cell shows. The last is estimated from held-out specimens, the analyser's
own noise taken off. Donors with unusual blood are harder than others, so this error grows with how
far the composition found is from the usual one; by how much is told by the held-out specimens too.
Otherwise every normal donor would pay for the abnormal ones. All of it on the scale
phi = arcsin sqrt p, on which sampling has the same variance 1 / 4n for every share, so that rare
classes get sensible limits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95
FEWEST_FOR_CONFORMAL = 19
# Where nothing was held out: about what donors differ by in phi when a purified-only classifier
# is used (10 points at a share of one half).
_UNTESTED_SD, _UNTESTED_DONORS = 0.10, 3
_SMALLEST_SD, _POOLED_DONORS = 0.008, 1
_STEEPNESS, _FEWEST_FOR_STEEPNESS = (0.0, 2.0, 5.0, 10.0, 20.0, 50.0), 12
# Members share most of their donors, so no more than this part of the error is their own.
_MEMBERS_OWN = 0.5


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
    steps = _STEEPNESS if donors >= _FEWEST_FOR_STEEPNESS else _STEEPNESS[:1]
    fits = [_fit_variance(gap, noise, (1 + step * far)[:, None]) for step in steps]
    best = int(np.argmin([misfit for misfit, _between, _score in fits]))
    _misfit, between, score = fits[best]
    factor, conformal = _factor(score, donors)
    return Errors(between, usual, steps[best], donors, factor, conformal)


def _fit_variance(
    gap: np.ndarray, noise: np.ndarray, growth: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Twice the negative log likelihood, (K,) standard deviation, and the standardised errors."""
    seen = np.isfinite(gap)
    donors = np.maximum(seen.sum(0), 1)
    parts = np.where(seen, (np.square(gap) - noise) / growth, 0.0)
    # A class that no analyser told of gets the error of the others.
    excess = np.where(seen.any(0), parts.sum(0) / donors, parts.sum() / seen.sum())
    # The middle one of the classes counts as one more donor, lest a lucky class be thought free of
    # error. More weight makes common classes pay for rare ones: with that of eight donors all
    # intervals of two composed studies covered 0.986, those of neutrophils 1.
    pooled = max(float(np.median(excess)), 0.0)
    between = np.maximum(excess, 0) * donors + pooled * _POOLED_DONORS
    between = np.maximum(between / (donors + _POOLED_DONORS), _SMALLEST_SD**2)
    variance = between * growth + noise
    misfit = np.where(seen, np.log(variance) + np.square(gap) / variance, 0.0)
    score = (np.abs(gap) / np.sqrt(variance))[seen]
    return float(misfit.sum()), np.sqrt(between), score


def _noise(known: np.ndarray, sd: np.ndarray, cells: np.ndarray) -> np.ndarray:
    n = np.maximum(cells, 1.0)[:, None]
    return 1 / (4 * n) + np.square(analyser_sd(known, sd, n))


def _factor(scores: np.ndarray, donors: int) -> tuple[float, bool]:
    student = float(stats.t.ppf(0.5 + LEVEL / 2, donors - 1))
    if donors < FEWEST_FOR_CONFORMAL:
        return student, False
    # Split conformal over the donors' standardised errors; pooled over classes, because the
    # largest of 20 donors alone would be a very noisy limit for one class.
    rank = min(1.0, np.ceil((len(scores) + 1) * LEVEL) / len(scores))
    return float(np.clip(np.quantile(scores, rank), 0.8 * student, 1.5 * student)), True


def share_interval(
    share: np.ndarray, cells: float, errors: Errors, spread: np.ndarray, members: int = 1
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
    members
        How many there are.
    """
    n = max(cells, 1.0)
    far = float(np.square(transform(share) - errors.usual).sum())
    alone = np.square(errors.between) * (1 + errors.steepness * far)
    # The error between donors is that of one network, since only one had not seen each donor. What
    # members disagree on averages out: of its variance v, their mean keeps v / M.
    own = np.minimum((members - 1) * np.square(spread), _MEMBERS_OWN * alone)
    # What exceeds the usual disagreement says that this specimen is harder than those.
    model = np.maximum(alone - own, np.square(spread))
    sd = np.sqrt(1 / (4 * n) + model)
    centre = transform(share)
    low = np.sin(np.clip(centre - errors.factor * sd, 0, np.pi / 2)) ** 2
    # A class that was not seen may still be there: no upper limit below that of the rule of three.
    high = np.sin(np.clip(centre + errors.factor * sd, 0, np.pi / 2)) ** 2
    high = np.maximum(high, np.minimum(1.0, 3.0 / n))
    return np.minimum(low, share), np.maximum(high, share), sd


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
