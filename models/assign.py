"""Which class each cell of a specimen of known composition has: the network proposes, totals dispose.

A mixed specimen's cells are shared out among the classes so that the shares come out as the
analyser's (with the classes' recoveries), as close to the network's opinion as that allows:
r_ik ∝ f_k(x_i) w_k, with the multipliers w found by iterative proportional fitting (Sinkhorn). What
nobody knows keeps its multiplier of 1: artefacts, and classes that were not measured.
"""

from __future__ import annotations

import numpy as np

_ROUNDS = 60
# A multiplier beyond this would overrule the network on every cell.
_STRONGEST = 200.0
_LEAST = 1e-4


def assign(posterior: np.ndarray, target: np.ndarray, *, relative: bool = False) -> np.ndarray:
    """Share cells out among classes.

    Parameters
    ----------
    posterior
        (n, K + 1) of the network under its reference prior, artefacts last.
    target
        (K,) wanted shares of the leukocytes, NaN where not known; among the known classes only if
        ``relative``.

    Returns
    -------
    (n, K + 1) rows adding to 1, whose column means agree with ``target``.
    """
    known = np.isfinite(target)
    wanted = np.maximum(target[known], _LEAST)
    columns = np.nonzero(known)[0]
    multiplier = np.ones(posterior.shape[1])
    for _ in range(_ROUNDS):
        shared = posterior * multiplier
        mean = (shared / shared.sum(1, keepdims=True)).mean(0)
        whole = mean[columns].sum() if relative or known.all() else mean[:-1].sum()
        goal = wanted / wanted.sum() if relative or known.all() else wanted
        ratio = goal * whole / np.maximum(mean[columns], 1e-9)
        if np.abs(np.log(ratio)).max() < 1e-3:
            break
        multiplier[columns] *= ratio
        centre = np.exp(np.log(multiplier[columns]) @ goal) if known.all() else 1.0
        multiplier[columns] = np.clip(multiplier[columns] / centre, 1 / _STRONGEST, _STRONGEST)
    shared = posterior * multiplier
    out: np.ndarray = shared / shared.sum(1, keepdims=True)
    return out
