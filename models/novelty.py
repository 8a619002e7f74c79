"""Cells unlike any that was learned from.

The class of each cell is the network's; how far the cell is from what its class or any other looks
like is judged by plain features (:mod:`models.shapes`), in each class by its own mean and
covariance. A network's own embedding was tried first and told platelets from leukocytes hardly
better than chance, since it keeps only what separates the classes it knows. Its doubt, though,
tells of cells that lie between the classes it knows, as those of a class left out do: both signs
are brought to one scale and added (:mod:`models.rarity`).

What is common to a specimen's cells (stain, focus) is no news: the median of what its cells differ
from their classes by is taken off. The median, so that strange cells do not move it.

Whether a *specimen* is out of the ordinary is judged by its share of striking cells against what
is usual for donors whom no network saw, not by a fixed share alone. One ordinary cell in a hundred
is strange, one in fifty striking: a kind of cell that is only a little odd shows sooner in many
striking cells than in a few strange ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from models.rarity import Rarity, learn_rarity

_STRANGE, _STRIKING = 0.99, 0.98
_FEWEST, _ROUNDS, _POOLED_CELLS = 30, 3, 30
_FEWEST_LOOKS, _SMALLEST_LOOK, _FARTHEST_LOOK = 8, 0.01, 3.0
_OUTLIER, _SMALLEST_SD, _USUAL_SD, _FEWEST_SPECIMENS = 6.0, 0.01, 0.03, 5


@dataclass(frozen=True)
class Familiar:
    """What familiar cells look like; C classes, artefacts last, F features.

    Parameters
    ----------
    middle
        (C, F) median of each class; NaN: never seen.
    precision
        (C, F, F) inverse covariance.
    offset
        (C,) log determinant of the covariance.
    apart, doubt
        How rare a distance from the class and a doubt of the network are.
    threshold
        Surprise beyond which a cell is unlike any that was learned from: it is left unclassified.
    striking
        Surprise that is counted in a specimen.
    usual, usual_sd
        Share of striking cells in an ordinary specimen and its standard deviation between donors,
        on the scale of :func:`_phi`.
    look_centre, look_precision
        (F,) what is common to a specimen's cells, and (F, F) the inverse covariance of donors in
        it, with what is not known of it from few donors; empty where too few were seen to say.
    """

    middle: np.ndarray
    precision: np.ndarray
    offset: np.ndarray
    apart: Rarity
    doubt: Rarity
    threshold: float
    striking: float
    usual: float
    usual_sd: float
    look_centre: np.ndarray = field(default_factory=lambda: np.zeros(0))
    look_precision: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))


def learn_familiar(
    shapes: Sequence[np.ndarray],
    labels: Sequence[np.ndarray],
    classes: int,
    *,
    doubts: Sequence[np.ndarray] | None = None,
    dirt: Sequence[np.ndarray] = (),
) -> Familiar:
    """Learn from specimens.

    Parameters
    ----------
    shapes, labels
        Of each specimen: (n, F) features, (n,) most probable class, 0 … C − 1, as told by
        networks that did not see its donor.
    classes
        C.
    doubts
        (n,) what is missing to certainty of the most probable class; ``None``: not looked at.
    dirt
        (n, F) features of blank specimens, which hold artefacts alone. They belong to no ordinary
        specimen and so have no say in what is usual.
    """
    shapes = [np.asarray(part, float) for part in shapes]
    extra = [np.asarray(part, float) for part in dirt]
    marks = [np.full(len(part), classes - 1) for part in extra]
    middle, centred, every = _middles([*shapes, *extra], [*labels, *marks], classes)
    precision, offset = _covariances(centred, every, middle)
    free = [_free(*pair, middle) for pair in _zip(shapes, labels)]
    scores = [_score(part, middle, precision, offset) for part in free]
    doubts = [np.zeros(len(part)) for part in shapes] if doubts is None else doubts
    together = np.concatenate([*labels, np.zeros(0, int)])
    apart, doubt = (
        learn_rarity(np.concatenate([*parts, np.zeros(0)]), together, classes)
        for parts in (scores, doubts)
    )
    found = [
        apart.surprise(score, label) + doubt.surprise(unsure, label)
        for score, unsure, label in zip(scores, doubts, labels, strict=True)
        if len(label) >= _FEWEST
    ]
    looks = [look for pair in _zip(shapes, labels) if (look := _look(*pair, middle)) is not None]
    return Familiar(middle, precision, offset, apart, doubt, *_usual(found), *_usual_looks(looks))


def drift(familiar: Familiar, shapes: np.ndarray, labels: np.ndarray) -> float:
    """How far a specimen's common look is from that of donors, in standard deviations.

    Focus, stain, magnification: what is common to a specimen's cells once their classes are
    explained. All features together (Mahalanobis), since an instrument changes them in another
    relation than donors do: cells that are larger and no paler stand out sooner than in size alone.
    0 where it cannot be said.
    """
    look = _look(np.asarray(shapes, float), labels, familiar.middle)
    if look is None or not len(familiar.look_centre):
        return 0.0
    apart = look - familiar.look_centre
    return float(np.sqrt(apart @ familiar.look_precision @ apart))


def _usual_looks(looks: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    if len(looks) < _FEWEST_LOOKS:
        return np.zeros(0), np.zeros((0, 0))
    stacked = np.array(looks)
    donors, width = stacked.shape
    centre = np.median(stacked, axis=0)
    # One specimen of another day must not widen what is usual: the middle of the deviations.
    robust = 1.4826 * np.median(np.abs(stacked - centre), axis=0)
    spread = np.sqrt((np.square(robust) + np.square(stacked.std(axis=0, ddof=1))) / 2)
    spread = np.maximum(spread, _SMALLEST_LOOK)
    apart = np.clip((stacked - centre) / spread, -_FARTHEST_LOOK, _FARTHEST_LOOK)
    doubt = width / (width + 3 * donors)
    together = (1 - doubt) * apart.T @ apart / donors + doubt * np.eye(width)
    # A new donor is farther off than those the covariance was made from.
    together *= 1 + (width + 1) / donors
    return centre, np.linalg.inv(together * np.outer(spread, spread))


def surprise(
    familiar: Familiar, shapes: np.ndarray, labels: np.ndarray, doubts: np.ndarray | None = None
) -> np.ndarray:
    """How surprising each cell of one specimen is.

    Parameters
    ----------
    shapes, labels
        (n, F) plain features and (n,) most probable class.
    doubts
        (M, n) what is missing to certainty, by each network; ``None``: not looked at.

    Returns
    -------
    (M, n), or (1, n) without doubts; over ``familiar.threshold``: unlike any that is known.
    """
    free = _free(np.asarray(shapes, float), labels, familiar.middle)
    score = _score(free, familiar.middle, familiar.precision, familiar.offset)
    apart = familiar.apart.surprise(score, labels)
    if doubts is None:
        return apart[None]
    return np.stack([apart + familiar.doubt.surprise(unsure, labels) for unsure in doubts])


def unusual(familiar: Familiar, found: np.ndarray) -> float:
    """How many standard deviations a specimen's share of striking cells is above what is usual.

    The networks' shares are averaged, not their surprises: one network that had not seen a donor
    taught what is usual, and a mean of several has shorter tails.
    """
    cells = found.shape[1]
    if cells == 0:
        return 0.0
    sd = np.sqrt(familiar.usual_sd**2 + 1 / (4 * cells))
    return float((_phi((found > familiar.striking).mean() * cells, cells) - familiar.usual) / sd)


def _phi(part: float, whole: float) -> float:
    # Anscombe's transform: the variance is 1 / 4n for small shares too.
    return float(np.arcsin(np.sqrt((part + 0.375) / (whole + 0.75))))


def _zip(
    shapes: Sequence[np.ndarray], labels: Sequence[np.ndarray]
) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(zip(shapes, labels, strict=True))


def _free(shapes: np.ndarray, labels: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Features with what is common to the specimen's cells taken off."""
    look = _look(shapes, labels, middle)
    return shapes if look is None else shapes - look


def _look(shapes: np.ndarray, labels: np.ndarray, middle: np.ndarray) -> np.ndarray | None:
    """What is common to the specimen's cells, (F,); ``None``: too few to say."""
    apart = shapes - middle[labels]
    apart = apart[np.isfinite(apart).all(axis=1)]
    return np.asarray(np.median(apart, axis=0)) if len(apart) >= _FEWEST else None


def _middles(
    shapes: Sequence[np.ndarray], labels: Sequence[np.ndarray], classes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Class medians (C, F), freed features (N, F) and labels (N,).

    Medians and specimens' common looks improve each other for a few rounds.
    """
    every = np.concatenate(list(labels))
    free = list(shapes)
    for _ in range(_ROUNDS):
        stacked = np.concatenate(free)
        middle = np.full((classes, stacked.shape[1]), np.nan)
        for k in range(classes):
            if (every == k).sum() >= _FEWEST:
                middle[k] = np.median(stacked[every == k], axis=0)
        free = [_free(*pair, middle) for pair in _zip(shapes, labels)]
    return middle, np.concatenate(free), every


def _covariances(
    features: np.ndarray, labels: np.ndarray, middle: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    classes, width = middle.shape
    rest = features - middle[labels]
    rest[~np.isfinite(rest).all(axis=1)] = 0.0
    pooled = _covariance(rest) + 1e-4 * np.eye(width)
    precision, offset = np.tile(np.eye(width), (classes, 1, 1)), np.zeros(classes)
    for k in np.nonzero(np.isfinite(middle).all(axis=1))[0]:
        mine = rest[labels == k]
        # Rare classes lean on what all have in common.
        shape = (_covariance(mine) * len(mine) + pooled * _POOLED_CELLS) / (
            len(mine) + _POOLED_CELLS
        )
        precision[k], offset[k] = np.linalg.inv(shape), np.linalg.slogdet(shape)[1]
    return precision, offset


def _covariance(rest: np.ndarray) -> np.ndarray:
    """Covariance without outliers: cells that the network mistook, and dirt."""
    scale = 1.4826 * np.median(np.abs(rest), axis=0) + 1e-3
    near = rest[(np.abs(rest) < _OUTLIER * scale).all(axis=1)]
    return np.cov(near.T) if len(near) > rest.shape[1] else np.diag(scale**2)


def _score(
    free: np.ndarray, middle: np.ndarray, precision: np.ndarray, offset: np.ndarray
) -> np.ndarray:
    seen = np.nonzero(np.isfinite(middle).all(axis=1))[0]
    if len(seen) == 0 or len(free) == 0:
        return np.zeros(len(free))
    each = []
    for k in seen:
        apart = free - middle[k]
        each.append(np.einsum("nf,nf->n", apart @ precision[k], apart) + offset[k])
    nearest: np.ndarray = np.min(each, axis=0)
    return nearest


def _usual(found: Sequence[np.ndarray]) -> tuple[float, float, float, float]:
    """Limits of a strange and a striking cell, and what share of these is usual, with its sd.

    Limits are those of the middle one of the specimens, so that one odd donor does not make
    everything familiar.
    """
    if not found:
        return float("inf"), float("inf"), _phi(0, 100), _USUAL_SD
    threshold, striking = (
        float(np.median([np.quantile(part, level) for part in found]))
        for level in (_STRANGE, _STRIKING)
    )
    phi = np.array([_phi((part > striking).sum(), len(part)) for part in found])
    if len(found) < _FEWEST_SPECIMENS:
        return threshold, striking, float(np.median(phi)), _USUAL_SD
    sampling = float(np.mean([1 / (4 * len(part)) for part in found]))
    # The middle half, since a study may hold odd specimens.
    spread = float(np.subtract(*np.quantile(phi, [0.75, 0.25]))) / 1.349
    between = np.sqrt(max(spread**2 - sampling, _SMALLEST_SD**2))
    return threshold, striking, float(np.median(phi)), float(between)
