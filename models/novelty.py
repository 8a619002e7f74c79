"""Cells unlike any that was learned from.

The class of each cell is the network's; whether the cell is news is judged by what it is built like
(:mod:`models.morphology`), since a network keeps only what separates the classes it knows. Two
signs are brought to one scale and added (:mod:`models.rarity`): how far the cell is from its
class, and how little its build speaks for that class among all (:mod:`models.kinds`). The first
finds what resembles nothing, the second what lies between two classes.

Whether a *specimen* is out of the ordinary is judged by its share of striking cells against what
is usual for donors whom no network saw, not by a fixed share alone. One ordinary cell in a hundred
is strange, one in fifty striking: a kind of cell that is only a little odd shows sooner in many
striking cells than in a few strange ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np

from models.common import FEWEST
from models.kinds import Kinds, compare, learn_kinds
from models.rarity import Rarity, learn_rarity

_STRANGE, _STRIKING = 0.99, 0.98
_SMALLEST_SD, _USUAL_SD, _FEWEST_SPECIMENS, _FOLDS = 0.01, 0.03, 5, 4


@dataclass(frozen=True)
class Familiar:
    """What familiar cells look like.

    Parameters
    ----------
    kinds
        The classes as their cells are built.
    apart, dissent
        How rare a distance from the class and a dissent from it are.
    both
        How rare their sum is, so that a class whose cells show one sign alone (dirt) counts too.
    threshold
        Surprise beyond which a cell is unlike any that was learned from: it is left unclassified.
    striking
        Surprise that is counted in a specimen.
    usual, usual_sd
        Share of striking cells in an ordinary specimen and its standard deviation between donors,
        on the scale of :func:`_phi`.
    """

    kinds: Kinds
    apart: Rarity
    dissent: Rarity
    both: Rarity
    threshold: float
    striking: float
    usual: float
    usual_sd: float


def learn_familiar(
    builds: Sequence[np.ndarray],
    labels: Sequence[np.ndarray],
    classes: int,
    *,
    folds: Sequence[int] | np.ndarray | None = None,
    dirt: Sequence[np.ndarray] = (),
) -> Familiar:
    """Learn from specimens.

    Parameters
    ----------
    builds, labels
        Of each specimen: (n, F) features, (n,) most probable class, 0 … C − 1, as told by
        networks that did not see its donor.
    classes
        C, artefacts last.
    folds
        (B,) specimens of one number are judged by the others: what a kind was learned from lies
        nearer to it than what comes later. ``None``: every fourth specimen has one number.
    dirt
        (n, F) features of blank specimens, which hold artefacts alone. They belong to no ordinary
        specimen and so have no say in what is usual.
    """
    builds = [np.asarray(part, float) for part in builds]
    teach = _Teachers(builds, labels, [np.asarray(part, float) for part in dirt], classes)
    folds = np.arange(len(builds)) % _FOLDS if folds is None else np.asarray(folds)
    distance, dissent = teach.left_out(folds)
    together = np.concatenate([*labels, np.zeros(0, int)])
    apart, against = (learn_rarity(part, together, classes) for part in (distance, dissent))
    summed = apart.surprise(distance, together) + against.surprise(dissent, together)
    both = learn_rarity(summed, together, classes)
    ends = np.cumsum([len(part) for part in labels])[:-1]
    found = np.split(both.surprise(summed, together), ends)
    usual = _usual([part for part in found if len(part) >= FEWEST])
    return Familiar(teach.kinds(np.ones(len(builds), bool)), apart, against, both, *usual)


@dataclass(frozen=True)
class _Teachers:
    """Specimens that kinds are learned from."""

    builds: Sequence[np.ndarray]
    labels: Sequence[np.ndarray]
    dirt: Sequence[np.ndarray]
    classes: int

    def kinds(self, chosen: np.ndarray) -> Kinds:
        marks = [np.full(len(part), self.classes - 1) for part in self.dirt]
        builds = [*compress(self.builds, chosen), *self.dirt]
        return learn_kinds(builds, [*compress(self.labels, chosen), *marks], self.classes)

    def left_out(self, folds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Distance and dissent of every cell by kinds that its fold had no part in, (N,)."""
        found: list[tuple[np.ndarray, np.ndarray]] = [(np.zeros(0), np.zeros(0))] * len(folds)
        for fold in np.unique(folds):
            mine = folds == fold
            kinds = self.kinds(mine if mine.all() else ~mine)
            for i in np.nonzero(mine)[0].tolist():
                found[i] = compare(kinds, self.builds[i], self.labels[i])
        found.append((np.zeros(0), np.zeros(0)))
        distance, dissent = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return distance, dissent


def surprise(familiar: Familiar, builds: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How surprising each cell of one specimen is.

    Parameters
    ----------
    builds, labels
        (n, F) features and (n,) most probable class.

    Returns
    -------
    (n,); over ``familiar.threshold``: unlike any that is known.
    """
    distance, dissent = compare(familiar.kinds, builds, labels)
    summed = familiar.apart.surprise(distance, labels)
    summed += familiar.dissent.surprise(dissent, labels)
    return familiar.both.surprise(summed, labels)


def unusual(familiar: Familiar, found: np.ndarray) -> float:
    """How many standard deviations a specimen's share of striking cells is above what is usual."""
    cells = len(found)
    if cells == 0:
        return 0.0
    sd = np.sqrt(familiar.usual_sd**2 + 1 / (4 * cells))
    return float((_phi((found > familiar.striking).sum(), cells) - familiar.usual) / sd)


def _phi(part: float, whole: float) -> float:
    # Anscombe's transform: the variance is 1 / 4n for small shares too.
    return float(np.arcsin(np.sqrt((part + 0.375) / (whole + 0.75))))


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
