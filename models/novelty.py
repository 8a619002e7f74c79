"""Cells unlike any that was learned from.

The class of each cell is the network's; whether the cell is news is judged by what it is built like
(:mod:`models.morphology`), since a network keeps only what separates the classes it knows. Two
signs are brought to one scale and added (:mod:`models.rarity`): how much further the cell is from
its class than from a kind that nobody named, and how little its build speaks for that class among
all (:mod:`models.kinds`). The first finds what resembles nothing, the second what lies between two
classes.

Whether a *specimen* is out of the ordinary is judged against donors whom no network saw, not by a
fixed share (:mod:`models.excess`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np

from models.common import FEWEST
from models.excess import Excess, excess, learn_excess
from models.kinds import Kinds, compare, learn_kinds
from models.rarity import Rarity, learn_rarity
from models.shifts import Means, class_means, largest_shift, learn_shifts

_STRANGE, _FOLDS = 0.99, 4


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
    usual
        What is usual for a whole specimen.
    """

    kinds: Kinds
    apart: Rarity
    dissent: Rarity
    both: Rarity
    threshold: float
    usual: Excess


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
    distance, dissent, means = teach.left_out(folds)
    together = np.concatenate([*labels, np.zeros(0, int)])
    apart, against = (learn_rarity(part, together, classes) for part in (distance, dissent))
    summed = apart.surprise(distance, together) + against.surprise(dissent, together)
    both = learn_rarity(summed, together, classes)
    ends = np.cumsum([len(part) for part in labels])[:-1]
    found = np.split(both.surprise(summed, together), ends)
    kinds = teach.kinds(np.ones(len(builds), bool))
    many = np.array([len(part) >= FEWEST for part in found], bool)
    found, means = list(compress(found, many)), list(compress(means, many))
    # The middle one of the specimens, so that one odd donor does not make everything familiar.
    limits = [np.quantile(part, _STRANGE) for part in found]
    threshold = float(np.median(limits)) if limits else float("inf")
    usual = learn_excess(found, *learn_shifts(means, kinds))
    return Familiar(kinds, apart, against, both, threshold, usual)


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

    def left_out(self, folds: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[Means]]:
        """Distance and dissent of every cell, (N,), and class means of every specimen.

        By kinds that its fold had no part in.
        """
        found: list[tuple[np.ndarray, np.ndarray]] = [(np.zeros(0), np.zeros(0))] * len(folds)
        means: dict[int, Means] = {}
        for fold in np.unique(folds):
            mine = folds == fold
            kinds = self.kinds(mine if mine.all() else ~mine)
            for i in np.nonzero(mine)[0].tolist():
                found[i] = compare(kinds, self.builds[i], self.labels[i])
                means[i] = class_means(kinds, self.builds[i], self.labels[i])
        found.append((np.zeros(0), np.zeros(0)))
        distance, dissent = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return distance, dissent, [means[i] for i in range(len(folds))]


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


def unusual(familiar: Familiar, builds: np.ndarray, labels: np.ndarray, found: np.ndarray) -> float:
    """How many standard deviations one specimen is above what is usual for donors.

    Parameters
    ----------
    builds, labels, found
        (n, F) features, (n,) most probable class and (n,) surprise of its cells.
    """
    if not len(found):
        return 0.0
    means = class_means(familiar.kinds, builds, labels)
    return excess(
        familiar.usual, found, largest_shift(familiar.usual.shifts, familiar.kinds, means)
    )
