"""Whether a specimen has more cells that resemble nothing known than donors usually have.

Two views of the specimen: how many of its cells are rare (:mod:`models.novelty`), and how far the
class is shifted that is shifted most (:mod:`models.shifts`). Both are held against donors whom no
network saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from models.shifts import Shifts

# A cell counts from a surprise of 3 on (one ordinary cell in twenty), in full from 5 (one in 150):
# a single limit throws away how rare the cells beyond it are, and all in full are noisier.
_COUNTS_FROM, _COUNTS_FULLY = 3.0, 5.0
# Class means of donors to come are off by more than those of donors left out show: what was learned
# of a class was learned of the same days, and in composed studies of the same pictures.
_SHIFT_WEIGHT = 0.2
_USUAL, _USUAL_SD, _SMALLEST_SD, _FEWEST_DONORS, _FARTHEST = 0.02, 0.01, 0.003, 5, 2.5


@dataclass(frozen=True)
class Excess:
    """What is usual for ordinary donors.

    Parameters
    ----------
    count, count_sd
        Part of a specimen's cells that count as rare, and its standard deviation between donors.
    cell_sd
        Standard deviation of what one ordinary cell counts.
    shifts
        What is usual for class means.
    centre, spread
        Of both views together, in the donors learned from.
    donors
        How many these were.
    """

    count: float
    count_sd: float
    cell_sd: float
    shifts: Shifts
    centre: float
    spread: float
    donors: int


def learn_excess(
    found: Sequence[np.ndarray], shifts: Shifts, largest: Sequence[float] | np.ndarray
) -> Excess:
    """Learn from ordinary specimens.

    Parameters
    ----------
    found
        Of each specimen: (n,) how surprising its cells are.
    shifts, largest
        What is usual for class means, and (B,) the largest shift of each specimen.
    """
    if not found:
        return Excess(_USUAL, _USUAL_SD, 0.1, shifts, 0.0, 1.0, 0)
    counted = [_counted(part) for part in found]
    share = np.array([part.mean() for part in counted])
    cell_sd = float(np.concatenate(counted).std())
    count, spread = float(np.median(share)), _USUAL_SD
    if len(found) >= _FEWEST_DONORS:
        sampling = cell_sd**2 * float(np.mean([1 / len(part) for part in found]))
        spread = float(np.sqrt(max(_sd(share) ** 2 - sampling, _SMALLEST_SD**2)))
    bare = Excess(count, spread, cell_sd, shifts, 0.0, 1.0, len(found))
    if len(found) < _FEWEST_DONORS:
        return bare
    both = np.array([_both(bare, *pair) for pair in zip(counted, largest, strict=True)])
    return Excess(
        count, spread, cell_sd, shifts, float(np.median(both)), max(_sd(both), 1.0), len(found)
    )


def excess(usual: Excess, found: np.ndarray, largest: float) -> float:
    """How many standard deviations a specimen is above what is usual.

    Parameters
    ----------
    found
        (n,) how surprising its cells are.
    largest
        Its largest shift of a class.

    Returns
    -------
    On the scale of a normal law; fewer donors learned from bring it nearer to 0 (Student's t).
    """
    if not len(found):
        return 0.0
    donors = max(usual.donors, _FEWEST_DONORS)
    above = (_both(usual, _counted(found), largest) - usual.centre) / usual.spread
    tail = student.sf(abs(above) / np.sqrt(1 + 1 / donors), donors - 1)
    return float(np.sign(above) * norm.isf(tail))


def _both(usual: Excess, counted: np.ndarray, largest: float) -> float:
    sd = np.hypot(usual.count_sd, usual.cell_sd / np.sqrt(len(counted)))
    return float((counted.mean() - usual.count) / sd + _SHIFT_WEIGHT * largest)


def _counted(found: np.ndarray) -> np.ndarray:
    return np.clip((found - _COUNTS_FROM) / (_COUNTS_FULLY - _COUNTS_FROM), 0.0, 1.0)


def _sd(values: np.ndarray) -> float:
    """Standard deviation in which an odd specimen among the donors weighs no more than others."""
    middle = np.median(values)
    quarter, rest = np.quantile(values, [0.25, 0.75])
    reach = max(_FARTHEST * float(rest - quarter) / 1.349, 1e-9)
    return float(np.clip(values, middle - reach, middle + reach).std(ddof=1))
