"""What a composition becomes when people put single cells into other classes.

A reported share is no plain count: it comes from the probabilities of all cells and is calibrated
on held-out donors, so counting the corrected cells anew would throw the calibration away. A cell
that the network called *a* with probability pi has been counted as pi of a cell in *a*; the rest
of it was elsewhere already. Putting it into *b* therefore moves pi of a cell, not a whole one: the
sure errors weigh fully, the coin tosses little. For the mean of posteriors this is the exact step
from the network's opinion to the person's where a cell's rest was in *b*; the calibration, which
only adds to all of it, stays.

Only where a cell stands now counts, not how it got there: the order of corrections does not matter,
and undoing them gives the prediction back bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from models.intervals import product_interval, transform

UNCLASSIFIED, ARTEFACT = -1, -2
_NORMAL = float(ndtri(0.975))


@dataclass(frozen=True)
class Census:
    """A composition in numbers.

    Parameters
    ----------
    counts
        (K,) cells of each class.
    cells, unclassified, artefacts
        Cells that are no artefacts, those of them without a class, and artefacts.
    fraction, fraction_low, fraction_high
        (K,) shares of the donor's blood and their 95 % limits; NaN = cannot be said.
    per_ul, per_ul_low, per_ul_high
        (K,) cells per µL.
    total
        (3,) all cells per µL, and its limits.
    """

    counts: np.ndarray
    cells: int
    unclassified: int
    artefacts: int
    fraction: np.ndarray
    fraction_low: np.ndarray
    fraction_high: np.ndarray
    per_ul: np.ndarray
    per_ul_low: np.ndarray
    per_ul_high: np.ndarray
    total: np.ndarray


def recount(
    predicted: Census, called: np.ndarray, now: np.ndarray, probability: np.ndarray
) -> Census:
    """The composition once every cell is where people left it.

    Parameters
    ----------
    predicted
        The prediction; returned as it is where no cell stands elsewhere than the network put it.
    called, now
        (n,) class of each cell by the network, and after correction; −1 unclassified, −2 artefact.
    probability
        (n,) the network's probability of ``called``.
    """
    moved = np.flatnonzero(called != now)
    if len(moved) == 0:
        return predicted
    counted = replace(
        predicted,
        counts=np.array([(now == k).sum() for k in range(len(predicted.counts))]),
        cells=int((now != ARTEFACT).sum()),
        unclassified=int((now == UNCLASSIFIED).sum()),
        artefacts=int((now == ARTEFACT).sum()),
    )
    mass = _mass(predicted, called[moved], now[moved], probability[moved].astype(float))
    size = float(mass.sum())
    if not np.isfinite(size) or size <= 0:
        return _unknown(counted)
    share = mass / size
    low, high = share_limits(predicted, share, size)
    total = predicted.total * (size / predicted.cells if predicted.cells else np.nan)
    per_low, per_high = product_interval(share, (low, high), total[0], (total[1], total[2]))
    return replace(
        counted,
        fraction=share,
        fraction_low=low,
        fraction_high=high,
        per_ul=share * total[0],
        per_ul_low=per_low,
        per_ul_high=per_high,
        total=total,
    )


def _mass(
    predicted: Census, called: np.ndarray, now: np.ndarray, probability: np.ndarray
) -> np.ndarray:
    """(K,) cells of each class, as far as the composition counts them, after the moves."""
    k = len(predicted.fraction)
    # Of an unclassified cell the network knows nothing; it was spread like all the others.
    spread = np.append(predicted.fraction, 0.0)
    weight = np.where(called == UNCLASSIFIED, 1.0, probability)
    net = np.zeros(k + 1)  # the last place is outside: artefacts
    for place, sign in ((called, -1.0), (now, 1.0)):
        known = place != UNCLASSIFIED
        np.add.at(net, np.where(place[known] == ARTEFACT, k, place[known]), sign * weight[known])
        net += sign * float(weight[~known].sum()) * spread
    mass = predicted.cells * predicted.fraction + net[:k]
    # A class cannot lose more than it was given; what the cells weigh in all stays what it is.
    size = float(mass.sum())
    kept = np.maximum(mass, 0.0)
    whole = float(kept.sum())
    return kept * (size / whole) if whole > 0 and size > 0 else kept


def share_limits(
    predicted: Census, share: np.ndarray, size: float
) -> tuple[np.ndarray, np.ndarray]:
    """95 % limits (K,) of corrected shares.

    The half-widths of the prediction in phi = arcsin sqrt p are kept about the new share: what
    donors differ by is not known better because some cells are. They are never narrower than
    sampling alone allows (1 / 4n in phi), nor the upper limit below the rule of three.
    """
    centre, was = transform(share), transform(predicted.fraction)
    down = was - transform(predicted.fraction_low)
    up = transform(predicted.fraction_high) - was
    # A limit that was cut off at 0 or 1 tells nothing of the width on its side.
    below = np.where(predicted.fraction_low <= 0, np.maximum(down, up), down)
    above = np.where(predicted.fraction_high >= 1, np.maximum(down, up), up)
    least = _NORMAL / (2 * np.sqrt(max(size, 1.0)))
    low = np.sin(np.clip(centre - np.maximum(below, least), 0, np.pi / 2)) ** 2
    high = np.sin(np.clip(centre + np.maximum(above, least), 0, np.pi / 2)) ** 2
    high = np.maximum(high, min(1.0, 3.0 / max(size, 1.0)))
    return np.minimum(low, share), np.maximum(high, share)


def _unknown(counted: Census) -> Census:
    """Counts without a composition: nothing can be said of it."""
    nothing = np.full(len(counted.counts), np.nan)
    return replace(
        counted,
        fraction=nothing,
        fraction_low=nothing,
        fraction_high=nothing,
        per_ul=nothing,
        per_ul_low=nothing,
        per_ul_high=nothing,
        total=np.full(3, np.nan),
    )
