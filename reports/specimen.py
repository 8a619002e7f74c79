"""The report of one specimen: one HTML file that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from markupsafe import Markup

from cellcensus.findings import Level
from cellcensus.settings import ReportSettings
from reports.charts.differential import RangeRow, fraction_chart, range_chart
from reports.content import ClassRow, Estimate, ReferenceRange, SpecimenReport
from reports.glossary import QUALITY, Flag, QualityName, flag_in_words, quality_in_words
from reports.identity import report_id, report_sha256
from reports.numbers import CANNOT_BE_SAID, number, per_ul, percent, percentages, signed
from reports.pages import environment, style
from reports.pictures import picture_address, png_address
from reports.ranges import TOTAL, Ranges, Standing, below_quantification, standing

STANDING_WORDS = {
    Standing.WITHIN: "",
    Standing.LOW: "▼ low",
    Standing.HIGH: "▲ high",
    Standing.CRITICAL_LOW: "▼▼ critically low",
    Standing.CRITICAL_HIGH: "▲▲ critically high",
    Standing.CROSSES: "crosses the limit",
    Standing.NO_RANGE: "",
}
_COLOURS = {
    Standing.LOW: "low",
    Standing.CRITICAL_LOW: "low",
    Standing.HIGH: "high",
    Standing.CRITICAL_HIGH: "high",
}
BELOW_QUANTIFICATION = "below quantification"


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


def render_specimen(content: SpecimenReport, settings: ReportSettings | None = None) -> str:
    """One self-contained HTML page.

    Parameters
    ----------
    content
        What to show.
    settings
        Paper, reference ranges and quantification; defaults where not given.
    """
    settings = settings or ReportSettings()
    title = f"{content.specimen_id} · {content.study} · {report_id(content)} · preliminary"
    return (
        environment()
        .get_template("specimen.html")
        .render(
            **specimen_view(content, settings),
            style=style(settings.paper, title if content.signature is None else title[:-14]),
        )
    )


def specimen_view(content: SpecimenReport, settings: ReportSettings) -> dict[str, Any]:
    """Everything the template of a specimen needs, also for the web page that frames it."""
    ranges = Ranges(settings, content.donor_age_years)
    flags = [flag_in_words(code) for code in content.flags]
    return {
        "report": content,
        "id": report_id(content),
        "sha256": report_sha256(content),
        "lines": differential_lines(content, ranges),
        "total": _total_line(content, ranges),
        "fractions": fraction_chart(content.rows) if content.rows else None,
        "ranges": _range_picture(content, ranges),
        "ranges_withheld": ranges.withheld,
        "flags": sorted(flags, key=_urgency),
        "analyser": comparison(content),
        "preview": picture_address(content.preview) if content.preview else None,
        "png": png_address,
        **_figures(content),
        "hold": any(flag.level is Level.VIOLATION for flag in flags),
    }


def _figures(content: SpecimenReport) -> dict[str, list[tuple[QualityName, Any]]]:
    """Quality figures with their names: the main ones in the glossary's order, then the others."""
    order = {code: i for i, code in enumerate(QUALITY)}
    codes = sorted(content.quality, key=lambda code: order.get(code, len(order)))
    named = [(quality_in_words(code), content.quality[code]) for code in codes]
    return {
        "main_figures": [pair for pair in named if pair[0].main],
        "other_figures": [pair for pair in named if not pair[0].main],
    }


def differential_lines(content: SpecimenReport, ranges: Ranges) -> list[Line]:
    """The lines of the differential; percentages add to 100.0 by the largest remainder."""
    shown = percentages([row.fraction.value for row in content.rows])
    return [_line(row, value, ranges) for row, value in zip(content.rows, shown, strict=True)]


def _line(row: ClassRow, shown: float, ranges: Ranges) -> Line:
    limits = ranges.of(row.cell_class)
    place = standing(row.per_ul, limits)
    remarks = [STANDING_WORDS[place]]
    small = below_quantification(row.fraction, ranges.settings.quantification_cv)
    if small:
        remarks.append(BELOW_QUANTIFICATION)
    return Line(
        name=row.cell_class,
        cells=number(row.count),
        percent=number(shown, 1),
        percent_interval=_interval(percent(row.fraction.low), percent(row.fraction.high)),
        per_ul=per_ul(row.per_ul.value),
        per_ul_interval=_interval(per_ul(row.per_ul.low), per_ul(row.per_ul.high)),
        usual=usual(limits),
        remarks=tuple(remark for remark in remarks if remark),
        colour=_COLOURS.get(place, ""),
    )


def _total_line(content: SpecimenReport, ranges: Ranges) -> Line:
    total, limits = content.total_per_ul, ranges.of(TOTAL)
    place = standing(total, limits)
    return Line(
        name="White cells",
        cells=number(content.cells),
        percent="100.0" if content.rows else CANNOT_BE_SAID,
        percent_interval="",
        per_ul=per_ul(total.value),
        per_ul_interval=_interval(per_ul(total.low), per_ul(total.high)),
        usual=usual(limits),
        remarks=(STANDING_WORDS[place],) if STANDING_WORDS[place] else (),
        colour=_COLOURS.get(place, ""),
    )


def usual(limits: ReferenceRange | None) -> str:
    """A range in words: ``1 800–7 500``, ``up to 100``, ``from 200``."""
    if limits is None or (limits.low is None and limits.high is None):
        return CANNOT_BE_SAID
    if not limits.low:
        return f"up to {number(limits.high)}"
    if limits.high is None:
        return f"from {number(limits.low)}"
    return f"{number(limits.low)}–{number(limits.high)}"


def _interval(low: str, high: str) -> str:
    return CANNOT_BE_SAID if CANNOT_BE_SAID in (low, high) else f"{low}–{high}"


def comparison(content: SpecimenReport) -> list[dict[str, str]]:
    """Imaging beside the analyser, one row a class and one for all; empty without an analyser."""
    known = [isfinite(r.analyser_fraction) or isfinite(r.analyser_per_ul) for r in content.rows]
    if not any(known):
        return []
    shown = percentages([row.fraction.value for row in content.rows])
    rows = [
        {
            "name": row.cell_class,
            "percent": number(value, 1),
            "analyser_percent": percent(row.analyser_fraction),
            "difference": signed(100 * (row.fraction.value - row.analyser_fraction)),
            "per_ul": per_ul(row.per_ul.value),
            "analyser_per_ul": per_ul(row.analyser_per_ul),
        }
        for row, value in zip(content.rows, shown, strict=True)
    ]
    whole = {
        "name": "White cells",
        "percent": "",
        "analyser_percent": "",
        "difference": "",
        "per_ul": per_ul(content.total_per_ul.value),
        "analyser_per_ul": per_ul(content.analyser_total_per_ul),
    }
    return [*rows, whole]


def _range_picture(content: SpecimenReport, ranges: Ranges) -> Markup | None:
    rows = [_range_row("white cells", TOTAL, content.total_per_ul, ranges)] + [
        _range_row(row.cell_class, row.cell_class, row.per_ul, ranges) for row in content.rows
    ]
    drawable: Sequence[RangeRow] = [r for r in rows if r.standing is not Standing.NO_RANGE]
    return range_chart(drawable) if drawable else None


def _range_row(name: str, key: str, estimate: Estimate, ranges: Ranges) -> RangeRow:
    limits = ranges.of(key)
    return RangeRow(name, estimate, limits, standing(estimate, limits))


def _urgency(flag: Flag) -> int:
    return [Level.VIOLATION, Level.ALERT, Level.INFORMATION].index(flag.level)
