"""The kinds of cells that are known, each a Gaussian of what its cells are built like.

Two questions to a cell that the network gave to a class. Is it likelier of *that* class, or of a
kind that nobody named? And, the network left aside, which kind would it be called by its build? A
cell of a class that nobody named often lies between those that were: near enough to one of them,
but seldom to the one that the network chose.

Of a kind that nobody named it is known that it differs from the others in what these differ in
among themselves. So it is a Gaussian too, about the middle of all classes and as wide as they lie
apart: a cell that is far off in what no two classes differ in (dirt on it, a bad focus) is news
less than one that is halfway to another class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from models.common import FEWEST, class_middles, freed

_FARTHEST, _SMALLEST_SCALE = 6.0, 1e-3
_DIAGONAL, _FEWEST_KINDS = 0.02, 2


@dataclass(frozen=True)
class Kinds:
    """C classes, artefacts last, and after them a kind that nobody named; F features.

    Parameters
    ----------
    centre, scale
        (F,) what features are freed of and divided by, so that none outweighs the others.
    middle
        (C + 1, F) median of each class; NaN: never seen.
    precision
        (C + 1, F, F) inverse covariance.
    offset
        (C + 1,) log determinant of the covariance.
    """

    centre: np.ndarray
    scale: np.ndarray
    middle: np.ndarray
    precision: np.ndarray
    offset: np.ndarray


def learn_kinds(builds: Sequence[np.ndarray], labels: Sequence[np.ndarray], classes: int) -> Kinds:
    """The kinds of cells in some specimens.

    Parameters
    ----------
    builds, labels
        Of each specimen: (n, F) features and (n,) class, 0 … C − 1.
    """
    stacked = np.concatenate(list(builds))
    centre = np.median(stacked, axis=0)
    scale = np.maximum(1.4826 * np.median(np.abs(stacked - centre), axis=0), _SMALLEST_SCALE)
    shown = [_scaled(part, centre, scale) for part in builds]
    middle, free, every = class_middles(shown, labels, classes)
    covariances, pooled = _covariances(free, every, middle)
    unnamed, wide = _unnamed(middle, pooled)
    covariances = np.concatenate([covariances, wide[None]])
    return Kinds(
        centre,
        scale,
        np.concatenate([middle, unnamed[None]]),
        np.linalg.inv(covariances),
        np.linalg.slogdet(covariances)[1],
    )


def residuals(kinds: Kinds, builds: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """What is left of each cell's features without its specimen's look and its class, (n, F).

    Multiples of ``kinds.scale``; NaN where the class was never seen.
    """
    shown = _scaled(np.asarray(builds, float), kinds.centre, kinds.scale)
    return np.asarray(freed(shown, labels, kinds.middle) - kinds.middle[labels])


def compare(kinds: Kinds, builds: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How each cell of one specimen agrees with the class that the network gave it.

    Parameters
    ----------
    builds, labels
        (n, F) features and (n,) class.

    Returns
    -------
    (n,) how much further it is from the class (from the nearest one where the class was never
    seen) than from a kind that nobody named: twice the log of the densities' ratio; (n,) dissent,
    −log of the class's probability by the cell's build alone.
    """
    shown = _scaled(np.asarray(builds, float), kinds.centre, kinds.scale)
    free = freed(shown, labels, kinds.middle)
    seen = np.nonzero(np.isfinite(kinds.middle[:-1]).all(axis=1))[0]
    if len(seen) == 0 or len(free) == 0:
        return np.zeros(len(free)), np.zeros(len(free))
    each = np.full((len(free), len(kinds.middle)), np.inf)
    for k in [*seen, len(kinds.middle) - 1]:
        apart = free - kinds.middle[k]
        each[:, k] = ((apart @ kinds.precision[k]) * apart).sum(1) + kinds.offset[k]
    unnamed, each = each[:, -1], each[:, :-1]
    own, nearest = each[np.arange(len(free)), labels], each.min(1)
    known = np.isfinite(own)
    own = np.where(known, own, nearest)
    dissent = own / 2 + logsumexp(-each / 2, axis=1)
    return own - unnamed, np.where(known, np.maximum(dissent, 0.0), 0.0)


def _scaled(builds: np.ndarray, centre: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return np.clip((builds - centre) / scale, -_FARTHEST, _FARTHEST)


def _covariances(
    free: np.ndarray, labels: np.ndarray, middle: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Covariance of the cells of each class, (C, F, F), and of all about their classes, (F, F)."""
    classes, width = middle.shape
    covariances, pooled = np.tile(np.eye(width), (classes, 1, 1)), np.eye(width)
    rest = free - middle[labels]
    good = np.isfinite(rest).all(axis=1)
    if good.sum() < FEWEST:
        return covariances, pooled
    whole = np.cov(rest[good].T).reshape(width, width) + 1e-4 * np.eye(width)
    pooled = _leaning(whole, np.diag(np.diag(whole)), int(good.sum()), width)
    for k in np.nonzero(np.isfinite(middle).all(axis=1))[0]:
        mine = rest[labels == k]
        # Rare classes lean on what all have in common.
        own = _leaning(np.cov(mine.T).reshape(width, width), pooled, len(mine), width)
        covariances[k] = (1 - _DIAGONAL) * own + _DIAGONAL * np.diag(np.diag(own))
    return covariances, pooled


def _unnamed(middle: np.ndarray, pooled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Middle (F,) and covariance (F, F) of a kind that nobody named: one class more.

    What is taken for dirt says nothing of where a class of cells may lie.
    """
    cells = middle[:-1][np.isfinite(middle[:-1]).all(axis=1)]
    if len(cells) < _FEWEST_KINDS:
        return np.zeros(len(pooled)), pooled + np.eye(len(pooled))
    return cells.mean(axis=0), pooled + np.diag(cells.var(axis=0, ddof=1))


def _leaning(own: np.ndarray, other: np.ndarray, cells: int, width: int) -> np.ndarray:
    """A covariance that leans on another one as if that were of as many cells as features."""
    weight = cells / (cells + width)
    return np.asarray(weight * own + (1 - weight) * other)
