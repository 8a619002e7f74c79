"""The kinds of cells that are known, each a Gaussian of what its cells are built like.

Two questions to a cell that the network gave to a class. How far is it from *that* class? And,
the network left aside, which kind would it be called by its build? A cell of a class that nobody
named lies between those that were: near enough to one of them, but seldom to the one that the
network chose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from models.common import FEWEST, class_middles, freed

_FARTHEST, _SMALLEST_SCALE = 6.0, 1e-3
_DIAGONAL = 0.02


@dataclass(frozen=True)
class Kinds:
    """C classes, artefacts last, F features.

    Parameters
    ----------
    centre, scale
        (F,) what features are freed of and divided by, so that none outweighs the others.
    middle
        (C, F) median of each class; NaN: never seen.
    precision
        (C, F, F) inverse covariance.
    offset
        (C,) log determinant of the covariance.
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
    precision, offset = _covariances(free, every, middle)
    return Kinds(centre, scale, middle, precision, offset)


def compare(kinds: Kinds, builds: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How each cell of one specimen agrees with the class that the network gave it.

    Parameters
    ----------
    builds, labels
        (n, F) features and (n,) class.

    Returns
    -------
    (n,) distance from the class, squared, with the log determinant of its covariance (from the
    nearest one where the class was never seen); (n,) dissent, −log of the class's probability by
    the cell's build alone.
    """
    shown = _scaled(np.asarray(builds, float), kinds.centre, kinds.scale)
    free = freed(shown, labels, kinds.middle)
    seen = np.nonzero(np.isfinite(kinds.middle).all(axis=1))[0]
    if len(seen) == 0 or len(free) == 0:
        return np.zeros(len(free)), np.zeros(len(free))
    each = np.full((len(free), len(kinds.middle)), np.inf)
    for k in seen:
        apart = free - kinds.middle[k]
        each[:, k] = ((apart @ kinds.precision[k]) * apart).sum(1) + kinds.offset[k]
    own, nearest = each[np.arange(len(free)), labels], each.min(1)
    known = np.isfinite(own)
    dissent = np.where(known, own, nearest) / 2 + logsumexp(-each / 2, axis=1)
    return np.where(known, own, nearest), np.where(known, np.maximum(dissent, 0.0), 0.0)


def _scaled(builds: np.ndarray, centre: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return np.clip((builds - centre) / scale, -_FARTHEST, _FARTHEST)


def _covariances(
    free: np.ndarray, labels: np.ndarray, middle: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    classes, width = middle.shape
    precision, offset = np.tile(np.eye(width), (classes, 1, 1)), np.zeros(classes)
    rest = free - middle[labels]
    good = np.isfinite(rest).all(axis=1)
    if good.sum() < FEWEST:
        return precision, offset
    whole = np.cov(rest[good].T).reshape(width, width) + 1e-4 * np.eye(width)
    pooled = _leaning(whole, np.diag(np.diag(whole)), int(good.sum()), width)
    for k in np.nonzero(np.isfinite(middle).all(axis=1))[0]:
        mine = rest[labels == k]
        # Rare classes lean on what all have in common.
        own = _leaning(np.cov(mine.T).reshape(width, width), pooled, len(mine), width)
        shape = (1 - _DIAGONAL) * own + _DIAGONAL * np.diag(np.diag(own))
        precision[k], offset[k] = np.linalg.inv(shape), np.linalg.slogdet(shape)[1]
    return precision, offset


def _leaning(own: np.ndarray, other: np.ndarray, cells: int, width: int) -> np.ndarray:
    """A covariance that leans on another one as if that were of as many cells as features."""
    weight = cells / (cells + width)
    return np.asarray(weight * own + (1 - weight) * other)
