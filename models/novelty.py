"""Cells unlike any that was learned from.

A cell's distance, in each network's embedding, to the nearest class; classes share one shape
(Mahalanobis distance, Lee et al., NeurIPS 2018). The threshold is set on specimens whose donor the
network never saw, so that a new donor alone is not news.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.evidence import Evidence

# Three quarters of the directions: news shows in those that familiar cells hardly vary in
# (platelets among leukocytes: 23 % found at 0.2 % false alarms, with the first 16 of 128 only 8 %),
# while the very last ones are noise.
_KEPT, _QUANTILE, _SMALLEST = 0.75, 0.99, 30


@dataclass(frozen=True)
class Familiar:
    """What a network's embedding of familiar cells looks like, of each member.

    Parameters
    ----------
    centre, basis
        (M, E) and (M, E, D): where the embedding lies, and the whitened directions in it.
    classes
        (M, C, D) the middle of each class there, artefacts last; NaN: never seen.
    threshold
        (M,) distance beyond which a cell is unlike any that was learned from.
    """

    centre: np.ndarray
    basis: np.ndarray
    classes: np.ndarray
    threshold: np.ndarray


def fit_member(
    embedding: np.ndarray, labels: np.ndarray, classes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centre, basis and class middles of one member.

    Parameters
    ----------
    embedding
        (n, E) of cells learned from.
    labels
        (n,) their most probable class, 0 … C − 1.
    classes
        C.
    """
    centre = embedding.mean(0)
    middles = np.stack(
        [
            embedding[labels == c].mean(0) if (labels == c).sum() >= _SMALLEST else centre * np.nan
            for c in range(classes)
        ]
    )
    # Directions by what is left once the class is taken off, so that no class counts as far.
    rest = embedding - np.where(np.isfinite(middles[labels]), middles[labels], centre)
    values, vectors = np.linalg.eigh(np.cov(rest.T) + _ridge(rest) * np.eye(rest.shape[1]))
    keep = slice(-int(_KEPT * len(values)), None)
    basis = vectors[:, keep] / np.sqrt(values[keep])
    return centre, basis, (middles - centre) @ basis


def _ridge(rest: np.ndarray) -> float:
    return 1e-4 * float(rest.var(axis=0).mean()) + 1e-9


def distance(
    embedding: np.ndarray, centre: np.ndarray, basis: np.ndarray, classes: np.ndarray
) -> np.ndarray:
    """Distance (n,) of each cell to the nearest class of one member."""
    seen = classes[np.isfinite(classes).all(axis=1)]
    if len(seen) == 0 or len(embedding) == 0:
        return np.zeros(len(embedding))
    at = (embedding - centre) @ basis
    each = np.stack([np.linalg.norm(at - middle, axis=1) for middle in seen])
    nearest: np.ndarray = each.min(axis=0)
    return nearest


def learn_familiar(
    seen: Sequence[Evidence], unseen: Sequence[Evidence], prior: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """One member's centre, basis, class middles and threshold.

    Parameters
    ----------
    seen, unseen
        Evidence of this member alone about specimens it learned from, and about those of donors
        it did not.
    """
    embedding = np.concatenate([one.embedding[0] for one in seen])
    labels = np.concatenate([(one.logits[0] + np.log(prior)).argmax(1) for one in seen])
    centre, basis, classes = fit_member(embedding, labels, len(prior))
    tests = [distance(one.embedding[0], centre, basis, classes) for one in unseen or seen]
    return centre, basis, classes, pick_threshold(tests)


def pick_threshold(distances: Sequence[np.ndarray]) -> float:
    """The distance that one in a hundred cells of held-out specimens exceeds.

    The median over specimens, so that one odd donor does not make everything familiar.
    """
    each = [np.quantile(d, _QUANTILE) for d in distances if len(d) >= _SMALLEST]
    return float(np.median(each)) if each else float("inf")


def strangeness(familiar: Familiar, embedding: np.ndarray, members: Sequence[int]) -> np.ndarray:
    """Distance of each cell in thresholds, averaged over members, (n,); over 1: unlike any.

    Parameters
    ----------
    embedding
        (M, n, E), in the order of ``members``, the numbers of those that were asked.
    """
    parts = [
        distance(part, familiar.centre[m], familiar.basis[m], familiar.classes[m])
        / familiar.threshold[m]
        for part, m in zip(embedding, members, strict=True)
    ]
    mean: np.ndarray = np.mean(parts, axis=0)
    return mean
