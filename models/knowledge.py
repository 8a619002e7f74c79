"""What is known of a specimen, as numbers a loss can use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cellcensus.blood import USUAL_SHARE
from models.bag import Known

DEFAULT_CV = {"neutrophil": 0.04, "lymphocyte": 0.05, "monocyte": 0.10, "eosinophil": 0.12}
OTHER_CV, SMALLEST_SD = 0.30, 0.002
ASSUMED_PURITY, PURITY_SD = 0.95, 0.03


@dataclass(frozen=True)
class Target:
    """An analyser's differential.

    Parameters
    ----------
    fraction
        (K,) share of the leukocytes, NaN where not known. If ``relative``, shares among the known
        classes only.
    sd
        (K,) the analyser's standard deviation of each share.
    relative
        The total is not known, so that only the known classes can be compared with each other.
    """

    fraction: np.ndarray
    sd: np.ndarray
    relative: bool

    @property
    def known(self) -> np.ndarray:
        """(K,) bool, which classes are known."""
        return np.isfinite(self.fraction)

    @property
    def complete(self) -> bool:
        """Whether every class is known."""
        return bool(self.known.all())


def read_target(known: Known, classes: Sequence[str]) -> Target | None:
    """The differential of a mixed specimen; ``None`` if nothing is known that could teach.

    Concentrations go before percentages. A specimen with its total alone says nothing of its
    composition; one class alone needs the total.
    """
    values = np.array([known.per_ul.get(name, np.nan) for name in classes], float)
    if np.isfinite(values).any():
        total = known.wbc_per_ul
        complete = bool(np.isfinite(values).all())
        relative = total is None and not complete
        # Parts that are all known add up to their own total: the ratio of two measurements
        # with errors of their own would be noisier.
        whole = float(np.nansum(values)) if complete or total is None else total
    else:
        values = np.array([known.percent.get(name, np.nan) for name in classes], float)
        complete = bool(np.isfinite(values).all())
        relative, whole = False, float(values.sum()) if complete else 100.0
    usable = np.isfinite(values).sum()
    if usable == 0 or whole <= 0 or (relative and usable < 2):
        return None
    fraction = np.clip(values / whole, 0.0, 1.0)
    cv = np.array([known.cv.get(name, DEFAULT_CV.get(name, OTHER_CV)) for name in classes])
    # The error of a share: its own count's and, weakly, that of the total.
    sd = np.sqrt((cv * fraction * (1 - fraction)) ** 2 + SMALLEST_SD**2)
    return Target(fraction, sd, relative)


def expected_shares(target: Target, classes: Sequence[str]) -> np.ndarray:
    """The differential with classes that nobody told as in adult blood, (K,), adding to 1.

    Classes of other names than adult blood's share evenly what those leave.
    """
    if target.complete:
        return target.fraction
    usual = np.array([USUAL_SHARE.get(name, 0.0) for name in classes])
    strangers = usual == 0
    if strangers.any():
        usual[strangers] = max(1 - usual.sum(), 0.01 * len(classes)) / strangers.sum()
    known = target.known
    untold = np.where(known, 0.0, usual)
    told = np.where(known, target.fraction, 0.0)
    if target.relative:
        told = told * usual[known].sum()
        return np.asarray((told + untold) / (told + untold).sum())
    rest = max(1 - told.sum(), 0.0)
    return np.asarray((told + rest * untold / untold.sum()) / (told.sum() + rest))


def stated_total(known: Known, classes: Sequence[str]) -> float:
    """The analyser's leukocytes per µL, or the sum of all its classes; NaN where not known."""
    if known.wbc_per_ul:
        return float(known.wbc_per_ul)
    if len(known.per_ul) == len(classes) and sum(known.per_ul.values()) > 0:
        return float(sum(known.per_ul.values()))
    return float("nan")


def purity_vector(known: Known, classes: Sequence[str]) -> np.ndarray:
    """What a purified specimen holds, (K,): its purity, the rest spread evenly.

    Evenly, since what a purification leaves behind is not what blood holds: an abundant class is
    also the one that most of the chemistry is aimed at.
    """
    index = list(classes).index(str(known.cell_class))
    purity = ASSUMED_PURITY if known.purity is None else float(np.clip(known.purity, 0.5, 0.999))
    vector = np.full(len(classes), (1 - purity) / max(len(classes) - 1, 1))
    vector[index] = purity
    return vector


def population_prior(targets: Sequence[Target], classes: int, *, floor: float) -> np.ndarray:
    """Mean composition over specimens, (K,), no class below ``floor``: the reference prior."""
    rows = [t.fraction for t in targets if not t.relative]
    prior = np.full(classes, 1.0 / classes)
    if rows:
        stacked = np.stack(rows)
        seen = np.isfinite(stacked).any(axis=0)
        prior[seen] = np.nanmean(stacked[:, seen], axis=0)
    prior = np.maximum(prior, floor)
    return prior / prior.sum()
