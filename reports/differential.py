"""The tables of a specimen, in the words they are printed with: differential and comparison."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from reports.content import ClassRow, Estimate, ReferenceRange, SpecimenReport
from reports.numbers import CANNOT_BE_SAID, percentages
from reports.ranges import TOTAL, Ranges, Standing, below_quantification, standing
from reports.words import Words, words

_COLOURS = {
    Standing.LOW: "low",
    Standing.CRITICAL_LOW: "low",
    Standing.HIGH: "high",
    Standing.CRITICAL_HIGH: "high",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the differential, in the words it is printed with."""

    name: str
    cells: str
    percent: str
    percent_interval: str
    per_ul: str
    per_ul_interval: str
    usual: str
    remarks: tuple[str, ...]
    colour: str
    small: bool = False  # below quantification


def differential_lines(
    content: SpecimenReport, ranges: Ranges, say: Words | None = None
) -> list[Line]:
    """The lines of the differential; percentages add to 100.0 by the largest remainder."""
    say = say or words()
    shown = percentages([row.fraction.value for row in content.rows])
    return [_line(row, value, ranges, say) for row, value in zip(content.rows, shown, strict=True)]


def _line(row: ClassRow, shown: float, ranges: Ranges, say: Words) -> Line:
    limits = ranges.of(row.cell_class)
    place = standing(row.per_ul, limits)
    remarks = [say(f"standing.{place.value}")]
    small = below_quantification(row.fraction, ranges.settings.quantification_cv)
    if small:
        remarks.append(say("standing.below_quantification"))
    return Line(
        name=say.cell_class(row.cell_class),
        cells=say.number(row.count),
        percent=say.number(shown, 1),
        percent_interval=_interval(say.percent(row.fraction.low), say.percent(row.fraction.high)),
        per_ul=say.per_ul(row.per_ul.value),
        per_ul_interval=interval_per_ul(row.per_ul, say),
        usual=usual(limits, say),
        remarks=tuple(remark for remark in remarks if remark),
        colour=_COLOURS.get(place, ""),
        small=small,
    )


def total_line(content: SpecimenReport, ranges: Ranges, say: Words) -> Line:
    """The line of all white cells."""
    total, limits = content.total_per_ul, ranges.of(TOTAL)
    place = standing(total, limits)
    remark = say(f"standing.{place.value}")
    return Line(
        name=say("specimen.white_cells"),
        cells=say.number(content.cells),
        percent=say.number(100, 1) if content.rows else CANNOT_BE_SAID,
        percent_interval="",
        per_ul=say.per_ul(total.value),
        per_ul_interval=interval_per_ul(total, say),
        usual=usual(limits, say),
        remarks=(remark,) if remark else (),
        colour=_COLOURS.get(place, ""),
    )


def usual(limits: ReferenceRange | None, say: Words | None = None) -> str:
    """A range in words: ``1 800–7 500``, ``up to 100``, ``from 200``."""
    say = say or words()
    if limits is None or (limits.low is None and limits.high is None):
        return CANNOT_BE_SAID
    if not limits.low:
        return say("specimen.up_to", limit=say.number(limits.high))
    if limits.high is None:
        return say("specimen.from", limit=say.number(limits.low))
    return f"{say.number(limits.low)}–{say.number(limits.high)}"


def _interval(low: str, high: str) -> str:
    return CANNOT_BE_SAID if CANNOT_BE_SAID in (low, high) else f"{low}–{high}"


def comparison(content: SpecimenReport, say: Words | None = None) -> list[dict[str, str]]:
    """Imaging beside the analyser, one row a class and one for all; empty without an analyser."""
    say = say or words()
    known = [isfinite(r.analyser_fraction) or isfinite(r.analyser_per_ul) for r in content.rows]
    if not any(known):
        return []
    shown = percentages([row.fraction.value for row in content.rows])
    rows = [
        {
            "name": say.cell_class(row.cell_class),
            "percent": say.number(value, 1),
            "analyser_percent": say.percent(row.analyser_fraction),
            "difference": say.signed(100 * (row.fraction.value - row.analyser_fraction)),
            "per_ul": say.per_ul(row.per_ul.value),
            "analyser_per_ul": say.per_ul(row.analyser_per_ul),
        }
        for row, value in zip(content.rows, shown, strict=True)
    ]
    whole = {
        "name": say("specimen.white_cells"),
        "percent": "",
        "analyser_percent": "",
        "difference": "",
        "per_ul": say.per_ul(content.total_per_ul.value),
        "analyser_per_ul": say.per_ul(content.analyser_total_per_ul),
    }
    return [*rows, whole]


def interval_per_ul(estimate: Estimate, say: Words) -> str:
    """A 95 % interval of cells per µL."""
    return _interval(say.per_ul(estimate.low), say.per_ul(estimate.high))
