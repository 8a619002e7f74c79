"""How far a donor can sway a share: the cells that could as well be of another class.

Donors differ in how their cells look, and what no normalisation takes off moves the evidence for a
class in all their cells alike. Were it b units of log-likelihood, the share of class k would change
by b times

    S_k = sum_i r_ik (1 − r_ik) / n,

the derivative of the mean posterior, with r_ik the posterior of cell i: much where many cells stand
between k and another class, nothing where all are certain, whatever the size of the share. So one
number of the donors, what b differs by, tells the error of common and of rare classes, in usual and
in unusual blood; each specimen's own cells tell the rest.
"""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from models.composition import Calibration


def sway(
    logits: np.ndarray, prior: np.ndarray, calibration: Calibration, share: np.ndarray
) -> np.ndarray:
    """By how much each share would change if all evidence for its class rose by one unit, (K,).

    Parameters
    ----------
    logits
        (M, n, K + 1) of the members; n = 0 gives zeros.
    prior
        (K + 1,) usual composition, artefacts last.
    share
        (K,) found. Posteriors are taken half-way between it and the usual composition: a class
        of which nothing was found may be there all the same.
    """
    if logits.shape[1] == 0:
        return np.zeros(len(share))
    dirt = float(softmax(logits + np.log(prior), axis=-1).mean((0, 1))[-1])
    holds = (np.append((1 - dirt) * share, dirt) + prior) / 2
    scaled = logits.mean(0) * calibration.temperature + calibration.bias
    cells = softmax(scaled + np.log(holds), axis=1)[:, :-1]
    return np.asarray((cells * (1 - cells)).sum(0) / max(float(cells.sum()), 1e-9))
