"""Mixed specimens whose sheet does not fit their cells: a wrong analyser value, a swapped pair.

Each specimen is held against what the network without its donor finds in its cells. Differences
are measured in what is usual for the class over all donors (median absolute deviation), because a
wrong value would widen any other measure of what is usual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.intervals import analyser_sd, transform

# Beyond this many usual deviations a value is doubted: with 24 donors of 5 classes, ordinary
# errors with tails as heavy as Student's t with 8 degrees of freedom reach it in 1 study of 10.
DOUBT = 6.0
_SWAP_GAIN, _FEWEST = 0.2, 6


@dataclass(frozen=True)
class Suspect:
    """A specimen in doubt: the class that fits worst, its shares, and with whom it was swapped."""

    specimen_id: str
    cell_class: str
    found: float
    stated: float
    swapped_with: str | None

    def as_dict(self) -> dict[str, str | float | None]:
        """Plain values for JSON."""
        return {
            "specimen": self.specimen_id,
            "cell_class": self.cell_class,
            "found": round(self.found, 4),
            "stated": round(self.stated, 4),
            "swapped_with": self.swapped_with,
        }


def find_suspects(
    names: Sequence[str],
    classes: Sequence[str],
    found: np.ndarray,
    *,
    known: np.ndarray,
    known_sd: np.ndarray,
    cells: np.ndarray,
) -> list[Suspect]:
    """Name the specimens whose stated differential does not fit their cells.

    Parameters
    ----------
    names, classes
        Of the rows and columns.
    found, known, known_sd
        (B, K) held-out shares, stated shares, their standard deviation; NaN where not known.
    cells
        (B,) leukocytes of each.
    """
    rows = np.isfinite(known).any(axis=1)
    if rows.sum() < _FEWEST:
        return []
    usual = _usual(found, known, known_sd, cells)
    apart = _apart(found, known, usual)
    worst = np.nan_to_num(np.nanmax(np.where(rows[:, None], apart, 0.0), axis=1))
    doubted = [int(b) for b in np.nonzero(worst > DOUBT)[0]]
    partner = {b: _partner(b, found, known, usual) for b in doubted}
    # Both of a swapped pair are in doubt, though the second may stand out less by itself.
    doubted += [p for p in set(partner.values()) if p is not None and p not in doubted]
    suspects = []
    for b in sorted(doubted):
        k = int(np.nanargmax(apart[b]))
        other = partner.get(b, next((a for a, p in partner.items() if p == b), None))
        swapped = None if other is None else names[other]
        suspects.append(
            Suspect(names[b], classes[k], float(found[b, k]), float(known[b, k]), swapped)
        )
    return suspects


def _usual(found: np.ndarray, known: np.ndarray, sd: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Usual deviation on the transformed scale (B, K): that of donors, at least what is sampled."""
    gap = np.abs(transform(found) - transform(known))
    told = np.isfinite(gap).any(axis=0)
    donors = np.zeros(gap.shape[1])
    donors[told] = 1.4826 * np.nanmedian(gap[:, told], axis=0)
    n = np.maximum(cells, 1.0)[:, None]
    own = np.sqrt(1 / (4 * n) + np.square(analyser_sd(known, sd, n)))
    usual: np.ndarray = np.maximum(own, donors)
    return usual


def _apart(found: np.ndarray, known: np.ndarray, usual: np.ndarray) -> np.ndarray:
    apart: np.ndarray = np.abs(transform(found) - transform(known)) / usual
    return apart


def _partner(b: int, found: np.ndarray, known: np.ndarray, usual: np.ndarray) -> int | None:
    """The specimen whose sheet row fits this one's cells, and the other way round."""
    best, chosen = np.inf, None
    for a in range(len(found)):
        pair = [b, a]
        straight = np.nansum(np.square(_apart(found[pair], known[pair], usual[pair])))
        crossed = np.nansum(np.square(_apart(found[pair], known[[a, b]], usual[[a, b]])))
        if a != b and crossed < _SWAP_GAIN * straight and crossed < best:
            best, chosen = crossed, a
    return chosen
