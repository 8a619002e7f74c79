"""From evidence of cells to the composition of a specimen, by several methods.

None of them is best everywhere, so all are computed, leave-donors-out decides which one reports,
and their disagreement is an alarm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import optimize
from scipy.special import softmax

from models.embedding import Embedding

METHODS = ("counting", "mean", "recalibrated", "emq", "embedding", "consensus")
# What the consensus is the mean of. EMQ can run away where evidence is poor; counting is slow to
# follow unusual blood where classes overlap. The map, fitted on ordinary blood, falls behind both.
AGREEING = ("counting", "emq")
_RIDGES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0)
_FIRST = ("emq", "consensus")
_DOUBT, _RUNAWAY = 2.0, 1.0
_EMQ_ROUNDS, _FIT_ROUNDS, _FIT_CELLS = 200, 25, 200


@dataclass(frozen=True)
class Calibration:
    """What was fitted on held-out specimens.

    Parameters
    ----------
    matrix
        (K, K) map from mean posteriors to shares, row vectors.
    temperature, bias
        Scale and (K + 1,) shift of the log-likelihoods for EMQ.
    recovery
        (K,) how much more of each class is seen than is in the blood, as the networks learned it.
    method
        Which method reports.
    scores
        Held-out error of each method in points: mean of all classes and worst class.
    recoveries
        Of each method (K,), what of the recovery its held-out errors still show.
    recovery_sd
        (K,) standard deviation of the logarithm of the recovery of ``counting``.
    embedding
        The kernel mean embedding; ``None``: not fitted.
    """

    matrix: np.ndarray
    temperature: float
    bias: np.ndarray
    recovery: np.ndarray
    method: str
    scores: dict[str, tuple[float, float]]
    recoveries: Mapping[str, np.ndarray] = field(default_factory=dict)
    recovery_sd: np.ndarray | None = None
    embedding: Embedding | None = None


def all_methods(
    logits: np.ndarray,
    prior: np.ndarray,
    calibration: Calibration,
    features: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Shares of the donor's leukocytes by every method, each (K,) adding to 1.

    Parameters
    ----------
    logits
        (M, n, K + 1) of the members; n = 0 gives the prior.
    features
        (D,) mean feature of the specimen's cells, for the kernel mean embedding.
    """
    if logits.shape[1] == 0:
        even = prior[:-1] / prior[:-1].sum()
        return dict.fromkeys(METHODS, even)
    mean = posterior_mean(logits, prior)
    scaled = logits.mean(0) * calibration.temperature + calibration.bias
    found = {
        "counting": recovered(count_shares(logits, prior), calibration.recovery),
        "mean": recovered(mean, calibration.recovery),
        "recalibrated": to_simplex(mean @ calibration.matrix),
        "emq": recovered(emq(scaled, prior), calibration.recovery),
    }
    if calibration.embedding is not None and features is not None:
        dirt = float(softmax(logits + np.log(prior), axis=-1).mean((0, 1))[-1])
        found["embedding"] = calibration.embedding.shares(features, dirt)
    return with_consensus(found, calibration.recoveries)


def with_consensus(
    found: Mapping[str, np.ndarray], recoveries: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Every method's recovery taken off, and the consensus added; (K,) or (B, K) each."""
    out = {
        name: recovered(share, recoveries[name]) if name in recoveries else share
        for name, share in found.items()
    }
    out["consensus"] = np.mean([out[name] for name in AGREEING], axis=0)
    return out


def posterior_mean(logits: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Mean posterior over members and cells, artefacts left out, (K,) adding to 1."""
    mean = softmax(logits + np.log(prior), axis=-1).mean((0, 1))[:-1]
    return mean / max(mean.sum(), 1e-9)


def count_shares(logits: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Classify and count: share of the cells whose most probable class is k."""
    best = softmax(logits + np.log(prior), axis=-1).mean(0).argmax(1)
    counts = np.bincount(best, minlength=len(prior))[:-1].astype(float)
    return counts / counts.sum() if counts.sum() else prior[:-1] / prior[:-1].sum()


def recovered(shares: np.ndarray, recovery: np.ndarray) -> np.ndarray:
    """Shares among the cells seen → shares in the blood: p_k ∝ N_k / R_k."""
    blood = shares / recovery
    return np.asarray(blood / blood.sum(-1, keepdims=True))


def emq(logits: np.ndarray, prior: np.ndarray, rounds: int = _EMQ_ROUNDS) -> np.ndarray:
    """Expectation–maximisation of the class shares, (K,).

    Saerens, Latinne and Decaestecker, Neural Computation 14 (2002), 21–41. The artefacts' share is
    found with the others and then left out.
    """
    likelihood = np.exp(logits - logits.max(1, keepdims=True))
    share = prior.copy()
    for _ in range(rounds):
        joint = likelihood * share
        new = (joint / joint.sum(1, keepdims=True)).mean(0)
        done = np.abs(new - share).max() < 1e-6
        share = new
        if done:
            break
    cells = share[:-1]
    return cells / max(cells.sum(), 1e-9)


def _emq_many(logits: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """A few rounds of :func:`emq` for many specimens at once, (B, n, C) → (B, C)."""
    likelihood = np.exp(logits - logits.max(-1, keepdims=True))
    share = np.repeat(prior[None], len(logits), axis=0)
    for _ in range(_FIT_ROUNDS):
        # r_ik ∝ l_ik q_k, and the mean over cells, in one product without the array of r.
        weight = 1 / np.einsum("bnc,bc->bn", likelihood, share)
        share = share * np.einsum("bnc,bn->bc", likelihood, weight) / likelihood.shape[1]
    return share


def to_simplex(values: np.ndarray) -> np.ndarray:
    """Nearest shares that are not negative and add to 1 (Duchi et al., ICML 2008)."""
    falling = np.sort(values)[::-1]
    excess = np.cumsum(falling) - 1
    rank = np.arange(1, len(values) + 1)
    last = np.nonzero(falling - excess / rank > 0)[0][-1]
    return np.maximum(values - excess[last] / (last + 1), 0)


def fit_matrix(means: np.ndarray, shares: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Ridge map (K, K) from mean posteriors to shares, pulled towards the identity.

    The strength of the pull is the one with the least leave-one-out error. With fewer specimens
    than classes an unpulled map would fit them exactly and predict nothing.
    """
    k = means.shape[1]
    best, chosen = np.inf, np.eye(k)
    for ridge in _RIDGES:
        error = sum(
            float(
                np.abs(means[i] @ _ridge(means, shares, weights, ridge, skip=i) - shares[i]).sum()
            )
            for i in range(len(means))
        )
        if error < best * 0.999:
            best, chosen = error, _ridge(means, shares, weights, ridge)
    return chosen


def _ridge(
    means: np.ndarray, shares: np.ndarray, weights: np.ndarray, ridge: float, skip: int = -1
) -> np.ndarray:
    keep = np.arange(len(means)) != skip
    x, residual, w = means[keep], (shares - means)[keep], weights[keep][:, None]
    k = x.shape[1]
    return np.eye(k) + np.linalg.solve(x.T @ (w * x) + ridge * np.eye(k), x.T @ (w * residual))


def fit_scaling(
    logits: Sequence[np.ndarray], shares: np.ndarray, prior: np.ndarray, recovery: np.ndarray
) -> tuple[float, np.ndarray]:
    """Temperature and bias with which EMQ finds the shares of held-out specimens best.

    Bias-corrected temperature scaling (Alexandari, Kundaje and Shrikumar, ICML 2020), fitted on
    shares instead of labels, since no cell has a label.
    """
    k = len(prior)
    some = [np.linspace(0, len(part) - 1, _FIT_CELLS).astype(int) for part in logits]
    thin = np.stack([part[chosen] for part, chosen in zip(logits, some, strict=True)])

    def miss(values: np.ndarray) -> float:
        scale, bias = np.exp(values[0]), np.append(values[1:], 0.0)
        found = _emq_many(thin * scale + bias, prior)[:, :-1] / recovery
        gap = np.sqrt(found / found.sum(1, keepdims=True)) - np.sqrt(shares)
        return float(np.square(gap).sum() + 0.02 * np.square(values).sum())

    start = np.zeros(k)
    simplex = np.vstack([start, 0.3 * np.eye(k)])
    result = optimize.minimize(
        miss, start, method="Nelder-Mead", options={"maxfev": 150, "initial_simplex": simplex}
    )
    return float(np.exp(result.x[0])), np.append(result.x[1:], 0.0)


def choose_method(errors: dict[str, np.ndarray]) -> tuple[str, dict[str, tuple[float, float]]]:
    """Which method reports, by its held-out errors.

    EMQ, the likeliest composition under calibrated evidence: on unusual blood it errs least, which
    the few such donors of a study cannot show. Held-out donors can show that it runs away: where
    its consensus with counting errs less by more than one standard error of the difference over
    donors, the consensus stands in its place. Any other method must beat that one by more than
    two: with a few dozen donors the best of six is best by luck as often as by merit (Breiman et
    al. 1984, ch. 3.4.3). Where donors tell fewer than K − 1 classes they cannot judge the others:
    the first method reports.

    Parameters
    ----------
    errors
        Of each method (B, K), share found − share known, NaN where not known.
    """
    scores, each = {}, {}
    for name, values in errors.items():
        told = 100 * np.abs(values[:, np.isfinite(values).any(axis=0)])
        classes = np.nanmean(told, axis=0)
        scores[name] = (float(classes.mean()), float(classes.max()))
        each[name] = np.nanmean(told[np.isfinite(told).any(axis=1)], axis=1)
    order = [name for name in _FIRST if name in scores] or [m for m in METHODS if m in scores]
    first = order[0]
    judged = np.isfinite(errors[first]).any(axis=0)
    if judged.sum() < len(judged) - 1:
        return first, scores
    if len(order) > 1 and _gain(each, order[0], order[1]) > _RUNAWAY:
        first = order[1]
    better = [m for m in scores if m != first and _gain(each, first, m) > _DOUBT]
    chosen = min([first, *better], key=lambda name: sum(scores[name]))
    return chosen, scores


def _gain(each: Mapping[str, np.ndarray], one: str, other: str) -> float:
    """How much less ``other`` errs, in standard errors of the difference over donors."""
    gain = each[one] - each[other]
    if len(gain) < 3:
        return 0.0
    return float(gain.mean() / max(gain.std(ddof=1) / np.sqrt(len(gain)), 1e-12))
