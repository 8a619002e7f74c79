"""The analyser's values of one row: units, percentages, sums."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from cellcensus.study import Role
from cellcensus.studyfolder.quantities import Cells, quantity, share

# Analysers' coefficients of variation where a study gives none: generous, since this only decides
# what is called a contradiction.
TOTAL_CV, CLASS_CV = 0.03, 0.06
SIGMAS, SMALLEST_GAP = 4.0, 0.20  # an alert: further apart than noise, and than a fifth
LARGEST_RATIO = 1.5  # a violation: no analyser is this noisy, one of the numbers is wrong
PERCENT_GAP, LARGEST_PERCENT_GAP = 1.5, 10.0  # beyond rounding; beyond other cells
LEAST_PER_UL, MOST_PER_UL = 100.0, 500_000.0


@dataclass(frozen=True)
class Counts:
    """What the analyser said, in standard units."""

    wbc_per_ul: float | None = None
    per_ul: Mapping[str, float] = field(default_factory=dict)
    percent: Mapping[str, float] = field(default_factory=dict)
    cv: Mapping[str, float] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether nothing was given."""
        return self.wbc_per_ul is None and not self.per_ul and not self.percent


def read_counts(cells: Cells, classes: tuple[str, ...], role: Role) -> Counts:
    """The analyser's values of one specimen, checked against each other."""
    total = _count(cells, "wbc_per_ul")
    per_ul = _of_classes(cells, classes, "per_ul")
    percent = _of_classes(cells, classes, "percent")
    cv = {name: _cv(cells, f"{name}_cv") for name in classes}
    counts = Counts(total, per_ul, percent, {name: v for name, v in cv.items() if v})
    if role is not Role.PURIFIED:
        _check_percent(cells, counts, classes)
        _check_sum(cells, counts, classes)
        _check_agreement(cells, counts)
    _check_units(cells, counts)
    return _converted(counts)


def _count(cells: Cells, column: str) -> float | None:
    value = quantity(cells, column, percent=column.endswith("percent"), half_below=True)
    if value is not None and value < 0:
        message = f"{column} is {value:g}; a count cannot be negative"
        action = "Correct it, or leave it empty."
        cells.notes.violation("count_negative", message, action, column)
        return None
    return value


def _of_classes(cells: Cells, classes: tuple[str, ...], kind: str) -> dict[str, float]:
    values = {name: _count(cells, f"{name}_{kind}") for name in classes}
    return {name: value for name, value in values.items() if value is not None}


def _cv(cells: Cells, column: str) -> float | None:
    value = share(cells, column, percent_from=1.5)
    if value == 0:
        message = f"{column} is 0; no analyser is without error, so the usual value is used"
        cells.notes.alert("cv_zero", message, "Give its coefficient of variation.", column)
    return value


def _check_percent(cells: Cells, counts: Counts, classes: tuple[str, ...]) -> None:
    if not counts.percent:
        return
    total, complete = sum(counts.percent.values()), len(counts.percent) == len(classes)
    gap = total - 100
    if gap < -PERCENT_GAP and not complete:
        return  # the classes not given may hold the rest
    message = f"The percentages add up to {total:.4g}"
    if complete and abs(total - 1) < 0.02:
        action = "Multiply them by 100."
        cells.notes.violation("percent_as_share", f"{message}, as if given as shares", action)
    elif abs(gap) > LARGEST_PERCENT_GAP:
        cells.notes.violation("percent_sum", message, "Correct the one that is wrong.")
    elif abs(gap) > PERCENT_GAP:
        action = "Check them; cells of other classes may explain a gap below 100."
        cells.notes.alert("percent_sum", message, action)


def _check_sum(cells: Cells, counts: Counts, classes: tuple[str, ...]) -> None:
    total, parts = counts.wbc_per_ul, sum(counts.per_ul.values())
    complete = len(counts.per_ul) == len(classes)
    if total is None or not counts.per_ul or (parts <= total and not complete):
        return
    gap = abs(parts - total)
    if gap <= max(_noise(counts) * SIGMAS, SMALLEST_GAP * total, 1.0 * len(classes)):
        return
    message = f"The classes add up to {parts:.6g} per µL, the total is {total:.6g}"
    if max(parts, total) > LARGEST_RATIO * min(parts, total):
        action = "Find the number that is wrong; look for a lost decimal sign or another unit."
        cells.notes.violation("total_contradicts_parts", message, action, "wbc_per_ul")
    else:
        action = "Check them; the classes are used for fractions."
        cells.notes.alert("total_contradicts_parts", message, action, "wbc_per_ul")


def _noise(counts: Counts) -> float:
    variances = [
        (counts.cv.get(name, CLASS_CV) * value) ** 2 for name, value in counts.per_ul.items()
    ]
    return math.sqrt(sum(variances) + (TOTAL_CV * (counts.wbc_per_ul or 0.0)) ** 2)


def _check_agreement(cells: Cells, counts: Counts) -> None:
    whole = counts.wbc_per_ul or sum(counts.per_ul.values())
    for name in counts.per_ul.keys() & counts.percent.keys():
        stated, percent = counts.per_ul[name], counts.percent[name]
        counted = 100 * stated / whole if whole else 0.0
        if abs(counted - percent) > max(3.0, 0.35 * max(counted, percent)):
            message = f"{name}: {stated:.6g} per µL is {counted:.3g} %, not {percent:.3g} %"
            action = "Correct one of them; the concentration is used."
            cells.notes.alert("percent_contradicts_count", message, action, f"{name}_percent")


def _check_units(cells: Cells, counts: Counts) -> None:
    parts = sum(counts.per_ul.values())
    for column, value in (("wbc_per_ul", counts.wbc_per_ul), ("…_per_ul", parts)):
        if value is None or value == 0:
            continue
        if value < LEAST_PER_UL:
            message = f"{column} is {value:g} leukocytes per µL in all, which is hardly blood"
            action = f"If it means {value:g} · 10⁹ per litre, write {1000 * value:g}."
        elif value > MOST_PER_UL:
            message = f"{column} is {value:g} leukocytes per µL in all, more than blood holds"
            action = "If it means cells per millilitre, divide it by 1000."
        else:
            continue
        cells.notes.alert("unit_suspicious", message, action, column)
        return


def _converted(counts: Counts) -> Counts:
    """Percentages as concentrations where the total is known; what was counted stands first."""
    if counts.wbc_per_ul is None:
        rest = {k: v for k, v in counts.percent.items() if k not in counts.per_ul}
        return Counts(None, counts.per_ul, rest, counts.cv)
    from_percent = {k: v * counts.wbc_per_ul / 100 for k, v in counts.percent.items()}
    return Counts(counts.wbc_per_ul, {**from_percent, **counts.per_ul}, {}, counts.cv)
