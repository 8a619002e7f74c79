"""Mixed specimens whose sheet does not fit their cells: a wrong value or total, a swapped pair.

Each specimen is held against what the network without its donor finds in its cells. Differences
are measured in what is usual for the class over all donors (median absolute deviation), because a
wrong value would widen any other measure of what is usual. How well a row of the sheet fits a
specimen is the misfit of Student's t, summed over classes and the total: one class far off must
not outvote all the others. A slip is then looked for that would explain a misfit
(:mod:`models.slips`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.intervals import analyser_sd, transform
from models.slips import Slip, explain

# Beyond this many usual deviations a value is doubted: with 24 donors of 5 classes, ordinary
# errors with tails as heavy as Student's t with 8 degrees of freedom reach it in 1 study of 10.
DOUBT = 6.0
# So is a row that one slip would mend by so much in log likelihood: the largest of 48 honest rows
# was 6.4.
_MENDED = 7.0
# Twice as many or half as many cells as the total says are doubted, however much donors differ.
_LARGEST_TOTAL = float(np.log(2))
_SMALLEST_TOTAL_SD, _DEGREES, _FEWEST = 0.05, 4.0, 6
# By how much a swap must fit better than the sheet as it stands, in log likelihood, above the
# logarithm of the number of pairs it was chosen from.
_SWAP_GAIN = 6.0


@dataclass(frozen=True)
class Suspect:
    """A specimen in doubt.

    Parameters
    ----------
    specimen_id
        Which.
    kind
        ``swapped``, ``tenfold``, ``tenth``, ``exchanged``, ``value`` or ``total``.
    cell_class
        The class that is wrong or fits worst; empty for a total.
    found, stated
        Its shares; of a total cells per µL as counted and as stated.
    swapped_with
        The specimen whose row of the sheet fits this one's cells, and the other way round.
    exchanged_with
        The class whose value seems to stand in the place of this one's.
    """

    specimen_id: str
    kind: str
    cell_class: str
    found: float
    stated: float
    swapped_with: str | None = None
    exchanged_with: str | None = None

    def as_dict(self) -> dict[str, str | float | None]:
        """Plain values for JSON."""
        return {
            "specimen": self.specimen_id,
            "kind": self.kind,
            "cell_class": self.cell_class,
            "found": round(self.found, 4),
            "stated": round(self.stated, 4),
            "swapped_with": self.swapped_with,
            "exchanged_with": self.exchanged_with,
        }


@dataclass(frozen=True)
class Sheet:
    """What is held against each other; B specimens, K classes.

    Parameters
    ----------
    found, known, known_sd
        (B, K) held-out shares, stated shares, their standard deviation; NaN where not known.
    cells
        (B,) leukocytes of each.
    counted, totals
        (B,) leukocytes per µL by the cells, recovery not taken off, and by the sheet; NaN where
        either cannot be said.
    """

    found: np.ndarray
    known: np.ndarray
    known_sd: np.ndarray
    cells: np.ndarray
    counted: np.ndarray
    totals: np.ndarray


def find_suspects(names: Sequence[str], classes: Sequence[str], sheet: Sheet) -> list[Suspect]:
    """Name the specimens whose row of the sheet does not fit their cells.

    Parameters
    ----------
    names, classes
        Of the rows and columns.
    """
    rows = np.isfinite(sheet.known).any(axis=1)
    if rows.sum() < _FEWEST:
        return []
    usual = _Usual(sheet)
    pairs = _swaps(sheet, usual)
    suspects = []
    for b, name in enumerate(names):
        if b in pairs:
            found = _of_pair(name, classes, sheet, usual, (b, names[pairs[b]]))
            suspects.append(found)
            continue
        if rows[b] and (slip := _slip(sheet, usual, b)) is not None:
            suspects.append(_of_slip(name, classes, sheet, b, slip))
        if usual.total_doubted(b):
            counted = float(sheet.counted[b] / np.exp(usual.centre))
            suspects.append(Suspect(name, "total", "", counted, float(sheet.totals[b])))
    return suspects


class _Usual:
    """What is usual between sheet and cells, and how far a row is from it."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        gap = np.abs(transform(sheet.found) - transform(sheet.known))
        told = np.isfinite(gap).any(axis=0)
        donors = np.zeros(gap.shape[1])
        donors[told] = 1.4826 * np.nanmedian(gap[:, told], axis=0)
        n = np.maximum(sheet.cells, 1.0)[:, None]
        own = np.sqrt(1 / (4 * n) + np.square(analyser_sd(sheet.known, sheet.known_sd, n)))
        self.scale: np.ndarray = np.maximum(own, donors)  # (B, K) on the transformed scale
        self.ratio = _log_ratio(sheet.counted, sheet.totals)
        fine = self.ratio[np.isfinite(self.ratio)]
        self.centre = float(np.median(fine)) if len(fine) >= _FEWEST else np.nan
        middle = np.median(np.abs(fine - self.centre)) if len(fine) >= _FEWEST else np.nan
        self.total_sd = max(float(1.4826 * middle), _SMALLEST_TOTAL_SD)

    def shares_apart(self, b: int, row: int) -> np.ndarray:
        """(K,) usual deviations between the cells of ``b`` and a row of the sheet."""
        gap = transform(self.sheet.found[b]) - transform(self.sheet.known[row])
        return np.asarray(np.abs(gap) / self.scale[b])

    def misfits(self) -> np.ndarray:
        """(B, B) negative log likelihood, up to a constant, of each row for each one's cells."""
        known, counted = transform(self.sheet.known), self.sheet.counted[:, None]
        apart = (transform(self.sheet.found)[:, None] - known[None]) / self.scale[:, None]
        total = (_log_ratio(counted, self.sheet.totals[None]) - self.centre) / self.total_sd
        together = np.concatenate([apart, total[..., None]], axis=2)
        each = (_DEGREES + 1) / 2 * np.log1p(np.square(together) / _DEGREES)
        return np.asarray(np.nansum(each, axis=2))

    def total_doubted(self, b: int) -> bool:
        """Whether far more or fewer cells were counted than the total says."""
        return abs(self.ratio[b] - self.centre) > max(DOUBT * self.total_sd, _LARGEST_TOTAL)


def _log_ratio(counted: np.ndarray, totals: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: np.ndarray = np.log(counted / totals)
    return ratio


def _swaps(sheet: Sheet, usual: _Usual) -> dict[int, int]:
    """Pairs of specimens that would both fit far better with each other's row."""
    count = len(sheet.found)
    misfit = usual.misfits()
    own = np.diag(misfit)
    gain = own[:, None] + own[None] - misfit - misfit.T
    needed = _SWAP_GAIN + np.log(max(count * (count - 1) / 2, 1))
    pairs: dict[int, int] = {}
    for a, b in zip(*np.unravel_index(np.argsort(-gain, axis=None), gain.shape), strict=True):
        if gain[a, b] < needed:
            break
        # Each of the two must fit better: one wrong row is not mended by spoiling another.
        better = misfit[a, b] < own[a] and misfit[b, a] < own[b]
        if a < b and better and a not in pairs and b not in pairs:
            pairs[int(a)], pairs[int(b)] = int(b), int(a)
    return pairs


def _slip(sheet: Sheet, usual: _Usual, b: int) -> Slip | None:
    """What is wrong in a row; ``None``: nothing that could be told from what is usual."""
    slip, better = explain(sheet.found[b], sheet.known[b], usual.scale[b])
    far = float(np.nanmax(usual.shares_apart(b, b)))
    return slip if far > DOUBT or better > _MENDED else None


def _of_pair(
    name: str, classes: Sequence[str], sheet: Sheet, usual: _Usual, pair: tuple[int, str]
) -> Suspect:
    b, other = pair
    k = int(np.nanargmax(usual.shares_apart(b, b)))
    found, stated = float(sheet.found[b, k]), float(sheet.known[b, k])
    return Suspect(name, "swapped", classes[k], found, stated, swapped_with=other)


def _of_slip(name: str, classes: Sequence[str], sheet: Sheet, b: int, slip: Slip) -> Suspect:
    k = slip.column
    found, stated = float(sheet.found[b, k]), float(sheet.known[b, k])
    other = None if slip.other is None else classes[slip.other]
    return Suspect(name, slip.kind, classes[k], found, stated, exchanged_with=other)
