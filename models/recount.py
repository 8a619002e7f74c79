"""What a composition becomes when people put single cells into other classes.

A reported share is no plain count: it comes from the probabilities of all cells and is calibrated
on held-out donors. With q the shares by count and p those reported, d = p − q is what was allowed
for cells in wrong classes. Corrections that change q by D say where some of those cells are.
Counting anew would throw the allowance away, though only a few cells were looked at; adding D to p
would count twice what had been allowed for. So D is added, and the part of it that the allowance
had anticipated (same class, same direction) is taken off as far as it was found by hand,

    p' ∝ max(p + D − t · overlap, 0),    t = min(1, |D| / |d|),  |·| summed over classes.

A first correction moves a whole cell. Somebody who goes through all cells ends between p and the
count. In simulations (five classes, 600 cells, four settings of how well classes and donors are
told apart; a perfect reader who looks at the 2 % to 100 % of cells the classifier is least certain
of) this never made the mean error larger, and all cells seen reduced it to 0.69 to 0.18 of what it
was. With p + D the error was up to 1.6 times as large as without any correction.

Only how many cells stand in each class counts, not how they got there: the order of corrections
does not matter, and undoing them gives the prediction back bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from models.intervals import product_interval, transform

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


def recount(predicted: Census, counts: np.ndarray, unclassified: int, artefacts: int) -> Census:
    """The composition once people have put cells elsewhere.

    Parameters
    ----------
    predicted
        The prediction; returned as it is where the counts are its own.
    counts
        (K,) cells of each class as they stand now.
    unclassified, artefacts
        The same of cells without a class, and of what is no cell.

    Returns
    -------
    Census
        Shares add to 1. NaN where no cell is left that has a class.
    """
    same = np.array_equal(counts, predicted.counts) and artefacts == predicted.artefacts
    if same and unclassified == predicted.unclassified:
        return predicted
    cells = int(counts.sum()) + unclassified
    counted = replace(
        predicted, counts=counts, cells=cells, unclassified=unclassified, artefacts=artefacts
    )
    share = corrected_share(predicted.fraction, predicted.counts, counts)
    if not np.isfinite(share).all():
        return _unknown(counted)
    low, high = share_limits(predicted, share, cells)
    # As many cells per µL stand for a cell as before.
    total = predicted.total * (cells / predicted.cells if predicted.cells else np.nan)
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


def corrected_share(share: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Reported shares (K,) after the counts went from ``before`` to ``after``; they add to 1.

    NaN where no cell is left that has a class.
    """
    if after.sum() == 0:
        return np.full(len(share), np.nan)
    now = after / after.sum()
    # Without a classified cell there is nothing that was allowed for.
    was = before / before.sum() if before.sum() else share
    allowed, moved = share - was, now - was
    overlap = np.where(
        np.sign(allowed) == np.sign(moved),
        np.sign(moved) * np.minimum(np.abs(allowed), np.abs(moved)),
        0.0,
    )
    size = float(np.abs(allowed).sum())
    found = min(1.0, float(np.abs(moved).sum()) / size) if size > 0 else 1.0
    raw: np.ndarray = np.maximum(share + moved - found * overlap, 0.0)
    whole = float(raw.sum())
    return raw / whole if whole > 0 else now


def share_limits(predicted: Census, share: np.ndarray, cells: int) -> tuple[np.ndarray, np.ndarray]:
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
    least = _NORMAL / (2 * np.sqrt(max(cells, 1)))
    low = np.sin(np.clip(centre - np.maximum(below, least), 0, np.pi / 2)) ** 2
    high = np.sin(np.clip(centre + np.maximum(above, least), 0, np.pi / 2)) ** 2
    high = np.maximum(high, min(1.0, 3.0 / max(cells, 1)))
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
