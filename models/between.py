"""How much donors differ in what no cell shows: a variance by class, from a few dozen donors.

Of two dozen errors, most of each being the analyser's noise and sampling, the likeliest variance
between donors is often zero, and intervals built on it are too narrow. So every value that the
donors allow is believed as far as they allow it:

    gap_ik ~ N(0, b_k² (1 + g d_i) + noise_ik)
    log b_k ~ N(log c, 0.7²),  log c ~ N(log 0.015, 0.7²)

with d_i how far the composition of donor i is from the usual one. b and c are summed over on
grids, g over a few values; what comes out are posterior means (Gelman et al., Bayesian Data
Analysis, 3rd edition, ch. 5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import softmax

_VALUES = np.geomspace(0.003, 0.25, 45)
_COMMON = np.geomspace(0.004, 0.15, 30)
# What networks with enough donors show; it counts for about one donor.
_USUAL, _SPREAD = 0.015, 0.7
_STEEPNESS, _FEWEST_FOR_STEEPNESS = np.array([0.0, 2.0, 5.0, 10.0, 20.0, 50.0]), 12


@dataclass(frozen=True)
class Between:
    """Between-donor error on the scale of the gaps.

    Parameters
    ----------
    sd
        (K,) of a donor with the usual composition.
    steepness
        How fast the variance grows with the squared distance from the usual composition.
    """

    sd: np.ndarray
    steepness: float


def fit_between(gap: np.ndarray, noise: np.ndarray, far: np.ndarray) -> Between:
    """Posterior means of the variance between donors and of its growth.

    Parameters
    ----------
    gap
        (B, K) found − known of held-out donors, NaN where not known.
    noise
        (B, K) variance of gap that is no donor's: sampling and the analyser.
    far
        (B,) squared distance of each donor's composition from the usual one.
    """
    enough = len(gap) >= _FEWEST_FOR_STEEPNESS
    steps = _STEEPNESS if enough else _STEEPNESS[:1]
    told, variances = zip(*(_given(gap, noise, 1 + step * far) for step in steps), strict=True)
    weight = softmax(told)
    variance = weight @ np.array(variances)
    return Between(np.sqrt(variance), float(weight @ steps))


def _given(gap: np.ndarray, noise: np.ndarray, growth: np.ndarray) -> tuple[float, np.ndarray]:
    """Log evidence of one steepness, and E[b_k²] (K,) under it."""
    variance = np.square(_VALUES) * growth[:, None, None] + noise[:, :, None]  # (B, K, values)
    misfit = np.log(variance) + np.square(gap)[:, :, None] / variance
    told = -0.5 * np.nansum(misfit, axis=0)
    top = told.max(1, keepdims=True)
    likelihood = np.exp(told - top)
    prior = _normal(np.log(_VALUES)[None], np.log(_COMMON)[:, None])  # (common, values)
    marginal = prior @ likelihood.T  # (common, K)
    common = np.log(marginal).sum(1) + np.log(_normal(np.log(_COMMON), np.log(_USUAL)))
    highest = common.max()
    weight = np.exp(common - highest)
    evidence = float(highest + np.log(weight.sum()) + top.sum())
    share = (weight / weight.sum())[:, None] / marginal
    mean = np.einsum("ck,cv,kv,v->k", share, prior, likelihood, np.square(_VALUES))
    return evidence, mean


def _normal(values: np.ndarray, centre: np.ndarray | float) -> np.ndarray:
    """Weights of a normal law on a grid, adding to 1 along the last axis."""
    density = stats.norm.pdf(values, centre, _SPREAD)
    return np.asarray(density / density.sum(-1, keepdims=True))
