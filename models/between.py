"""How much donors differ in what no cell shows: one number a class, from a few dozen donors.

Of two dozen errors, most of each being the analyser's noise and sampling, the likeliest difference
between donors is often zero, and intervals built on it are too narrow. So every value that the
donors allow is believed as far as they allow it:

    gap_ik ~ N(0, (t_k S_ik)² + noise_ik)
    log t_k ~ N(log c, 0.35²),  log c ~ N(log 1.3, 0.6²)

with S_ik how far the share of class k can be swayed in donor i (`models.sway`) and t_k what donors
differ by, in units of log-likelihood. t and c are summed over on grids; what comes out are
posterior means of t² (Gelman et al., Bayesian Data Analysis, 3rd edition, ch. 5).
"""

from __future__ import annotations

import numpy as np
from scipy import stats

_VALUES = np.geomspace(0.1, 15.0, 60)
_COMMON = np.geomspace(0.2, 8.0, 40)
# What networks show in studies like those they are made for, and how far studies and classes are
# from it: the three count for about one donor.
_USUAL, _STUDIES, _CLASSES = 1.3, 0.6, 0.35


def fit_between(gap: np.ndarray, noise: np.ndarray, sways: np.ndarray) -> np.ndarray:
    """Root of the posterior mean of t², (K,).

    Parameters
    ----------
    gap
        (B, K) shares found − known of held-out donors, NaN where not known.
    noise
        (B, K) variance of gap that is no donor's: sampling and the analyser.
    sways
        (B, K) of each donor's specimen.
    """
    variance = np.square(_VALUES * sways[:, :, None]) + noise[:, :, None]  # (B, K, values)
    misfit = np.log(variance) + np.square(gap)[:, :, None] / variance
    told = -0.5 * np.nansum(misfit, axis=0)
    likelihood = np.exp(told - told.max(1, keepdims=True))
    prior = _normal(np.log(_VALUES), np.log(_COMMON)[:, None], _CLASSES)  # (common, values)
    marginal = prior @ likelihood.T  # (common, K)
    common = np.log(marginal).sum(1) + np.log(_normal(np.log(_COMMON), np.log(_USUAL), _STUDIES))
    weight = np.exp(common - common.max())
    share = (weight / weight.sum())[:, None] / marginal
    mean = np.einsum("ck,cv,kv,v->k", share, prior, likelihood, np.square(_VALUES))
    return np.asarray(np.sqrt(mean))


def _normal(values: np.ndarray, centre: np.ndarray | float, sd: float) -> np.ndarray:
    """Weights of a normal law on a grid, adding to 1 along the last axis."""
    density = stats.norm.pdf(values, centre, sd)
    return np.asarray(density / density.sum(-1, keepdims=True))
