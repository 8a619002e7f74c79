"""Whether a specimen's cells of one class are, on average, what that class is elsewhere.

Strange cells do not spread over all classes: the network takes most of one kind for the same one
or two. Eighteen of them move the mean of forty cells far, where they would hardly be counted among
six hundred. What donors differ by in class means, their common look taken off, is a covariance
that all classes share, learned from the donors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from models.kinds import Kinds, residuals

_FEWEST_CELLS, _FEWEST_DONORS = 3, 5
# Class means of few cells say little of what donors differ by; one donor's weight on no shift.
_MEAN_CELLS, _NO_SHIFT = 50.0, 1.0
# Donors to come differ from those seen in every way a little: share of what cells differ by.
_LEAST_BETWEEN = 0.01
_SMALLEST_SD = 0.8


@dataclass(frozen=True)
class Means:
    """Class means of one specimen; C classes, artefacts last, F features.

    Parameters
    ----------
    cells
        (C,) how many cells of each class.
    mean
        (C, F) mean of what is left of their features, in the features' own units; 0 without cells.
    """

    cells: np.ndarray
    mean: np.ndarray


@dataclass(frozen=True)
class Shifts:
    """What class means of ordinary donors are like; empty where too few donors were seen to say.

    Parameters
    ----------
    usual
        (C, F) by how much means are off in an ordinary donor.
    between
        (F, F) covariance of donors in it.
    centre, spread
        (C,) distances of ordinary donors, on the scale of :func:`_distances`.
    """

    usual: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    between: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    centre: np.ndarray = field(default_factory=lambda: np.zeros(0))
    spread: np.ndarray = field(default_factory=lambda: np.zeros(0))


def class_means(kinds: Kinds, builds: np.ndarray, labels: np.ndarray) -> Means:
    """Class means of one specimen, (n, F) features and (n,) classes."""
    rest = np.nan_to_num(residuals(kinds, builds, labels)) * kinds.scale
    classes = len(kinds.middle) - 1
    cells = np.bincount(labels, minlength=classes)
    total = np.stack([rest[labels == k].sum(0) for k in range(classes)])
    return Means(cells, total / np.maximum(cells, 1)[:, None])


def learn_shifts(means: Sequence[Means], kinds: Kinds) -> tuple[Shifts, np.ndarray]:
    """Learn from donors' class means, each by kinds that the donor had no part in.

    Returns
    -------
    What is usual, and (B,) the largest shift of each donor by what the others show; 0: too few.
    """
    if len(means) < _FEWEST_DONORS:
        return Shifts(), np.zeros(len(means))
    within = _within(kinds)
    apart = []
    for i, mine in enumerate(means):
        others = [other for j, other in enumerate(means) if j != i]
        apart.append(_distances(mine, within, *_between_donors(others, within)))
    found = np.array(apart)
    centre, spread = np.zeros(len(within)), np.ones(len(within))
    for k in np.nonzero(np.isfinite(found).sum(0) >= _FEWEST_DONORS)[0]:
        seen = found[np.isfinite(found[:, k]), k]
        centre[k], spread[k] = np.median(seen), max(seen.std(), _SMALLEST_SD)
    shifts = Shifts(*_between_donors(means, within), centre, spread)
    return shifts, np.array([_largest(shifts, row) for row in found])


def largest_shift(shifts: Shifts, kinds: Kinds, means: Means) -> float:
    """How far the class that is shifted most is from what is usual, in standard deviations."""
    if not len(shifts.centre):
        return 0.0
    distances = _distances(means, _within(kinds), shifts.usual, shifts.between)
    return _largest(shifts, distances)


def _largest(shifts: Shifts, distances: np.ndarray) -> float:
    seen = np.isfinite(distances)
    if not seen.any():
        return 0.0
    return float(((distances - shifts.centre) / shifts.spread)[seen].max())


def _within(kinds: Kinds) -> np.ndarray:
    """(C, F, F) covariance of the cells of each class in the features' own units."""
    return np.asarray(np.linalg.inv(kinds.precision[:-1]) * np.outer(kinds.scale, kinds.scale))


def _between_donors(means: Sequence[Means], within: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What class means are usually off by, (C, F), and what donors differ by in them, (F, F)."""
    cells = np.array([part.cells for part in means], float)
    mean = np.array([part.mean for part in means])
    weight = np.where(cells >= _FEWEST_CELLS, cells / (cells + _MEAN_CELLS), 0.0)
    usual = (weight[:, :, None] * mean).sum(0) / (weight.sum(0) + _NO_SHIFT)[:, None]
    rest = (mean - usual) * np.sqrt(weight)[:, :, None]
    spread = np.einsum("bkf,bkg->fg", rest, rest)
    # What means of so many cells differ by anyway is no difference of donors.
    spread -= np.einsum("bk,kfg->fg", weight / np.maximum(cells, 1), within)
    donors = np.maximum((weight > 0).sum(0), 1)
    freedom = float((weight.sum(0) * (1 - 1 / donors)).sum())
    pooled = np.einsum("k,kfg->fg", cells.sum(0) / max(cells.sum(), 1), within)
    return usual, _at_least(spread / max(freedom, 1.0), pooled)


def _at_least(between: np.ndarray, within: np.ndarray) -> np.ndarray:
    """A covariance that is in no direction narrower than a small part of another one."""
    root = np.linalg.cholesky(within)
    inverse = np.linalg.inv(root)
    size, axes = np.linalg.eigh(inverse @ between @ inverse.T)
    axes = root @ axes
    return np.asarray((axes * (np.maximum(size, 0.0) + _LEAST_BETWEEN)) @ axes.T)


def _distances(
    means: Means, within: np.ndarray, usual: np.ndarray, between: np.ndarray
) -> np.ndarray:
    """(C,) how far each class's mean is from what is usual; NaN: too few cells.

    Mahalanobis, squared, brought to a normal law by its cube root (Wilson and Hilferty 1931).
    """
    width = usual.shape[1]
    out = np.full(len(usual), np.nan)
    for k in np.nonzero(means.cells >= _FEWEST_CELLS)[0]:
        apart = means.mean[k] - usual[k]
        squared = apart @ np.linalg.solve(within[k] / means.cells[k] + between, apart)
        out[k] = (np.cbrt(squared / width) - 1 + 2 / (9 * width)) * np.sqrt(9 * width / 2)
    return out
