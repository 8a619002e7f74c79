"""The report of one specimen: one HTML file that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from cellcensus.findings import Level
from cellcensus.settings import ReportSettings
from reports.charts.differential import RangeRow, fraction_chart, range_chart
from reports.content import Estimate, SpecimenReport
from reports.differential import (
    Line,
    comparison,
    differential_lines,
    interval_per_ul,
    total_line,
)
from reports.gallery import class_shelves, strange_shelf
from reports.glossary import QUALITY, Flag, flag_in_words, quality_in_words
from reports.identity import report_id
from reports.numbers import CANNOT_BE_SAID
from reports.pages import environment, quality_value, style
from reports.parts import Fact, joined, notes, running_title, shared_view
from reports.pictures import picture_address, png_address
from reports.ranges import TOTAL, Ranges, Standing, standing
from reports.words import Rich, Words, words


@dataclass(frozen=True, slots=True)
class Figure:
    """A quality figure in words."""

    name: str
    note: str
    value: str


def render_specimen(
    content: SpecimenReport, settings: ReportSettings | None = None, language: str | None = None
) -> str:
    """One self-contained HTML page.

    Parameters
    ----------
    content
        What to show.
    settings
        Paper, language, reference ranges and quantification; defaults where not given.
    language
        Another language than that of the settings.
    """
    settings = settings or ReportSettings()
    say = words(language or settings.language)
    title = running_title(content, f"{content.specimen_id} · {content.study}", say)
    return (
        environment(say.language)
        .get_template("specimen.html")
        .render(
            **specimen_view(content, settings, say),
            style=style(settings.paper, title, say),
            png=png_address,
            preview=picture_address(content.preview) if content.preview else None,
        )
    )


def specimen_view(
    content: SpecimenReport, settings: ReportSettings, say: Words | None = None
) -> dict[str, Any]:
    """Everything a specimen's report shows, in words; HTML and PDF are drawn from it."""
    say = say or words(settings.language)
    ranges = Ranges(settings, content.donor_age_years)
    flags = [flag_in_words(code, say) for code in content.flags]
    lines = differential_lines(content, ranges, say)
    picture = _range_picture(content, ranges, say)
    compared = comparison(content, say)
    return {
        **shared_view(content, say),
        "title": say("specimen.title", specimen=content.specimen_id),
        "facts": _facts(content, say),
        "lines": lines,
        "total": total_line(content, ranges, say),
        "lead": _lead(content, say),
        "caption": _caption(content, say),
        "remarks": _remarks(content, ranges, lines, say),
        "fractions": fraction_chart(content.rows, say) if content.rows else None,
        "fractions_caption": say.rich(
            "specimen.shares_analyser" if compared else "specimen.shares"
        ),
        "ranges": picture,
        "ranges_caption": say.rich("specimen.concentrations"),
        "flags": sorted(flags, key=_urgency),
        "analyser": compared,
        "findings": notes(content.findings, say, named=False),
        "shelves": class_shelves(content),
        "strange": strange_shelf(content, say),
        "gallery_note": _gallery_note(content, say),
        **_figures(content, say),
        "hold": any(flag.level is Level.VIOLATION for flag in flags),
    }


def _facts(content: SpecimenReport, say: Words) -> list[Fact]:
    def amount(value: float | None, unit: str) -> str:
        return say("fact.not_given") if value is None else f"{say.significant(value)} {unit}"

    return [
        Fact(say("fact.donor"), content.donor_id),
        Fact(say("fact.acquired"), say.when(content.acquired_at)),
        Fact(say("fact.instrument"), content.instrument_id or CANNOT_BE_SAID),
        Fact(say("fact.study"), content.study),
        Fact(say("fact.role"), say.of("role", content.role)),
        Fact(say("fact.volume"), amount(content.imaged_volume_ul, "µL")),
        Fact(say("fact.dilution"), amount(content.dilution, "×")),
        Fact(say("fact.report"), report_id(content)),
    ]


def _lead(content: SpecimenReport, say: Words) -> Rich:
    """What was counted, in one sentence."""
    if not content.rows:
        found = say.rich("specimen.found", cells=say.number(content.cells))
        nothing = say.rich("specimen.nothing")
        return joined([nothing, found], " ") if content.cells else nothing
    parts = []
    total, interval = (
        say.per_ul(content.total_per_ul.value),
        interval_per_ul(content.total_per_ul, say),
    )
    if total != CANNOT_BE_SAID:
        key = "specimen.total" if interval != CANNOT_BE_SAID else "specimen.total_alone"
        parts.append(say.rich(key, value=total, interval=interval))
    counted = say.rich("specimen.counted", cells=say.number(content.cells))
    if content.unclassified:
        without = say.rich("specimen.unclassified", count=say.number(content.unclassified))
        counted = joined([counted, without], ", ")
    parts.append(counted)
    if content.artefacts:
        parts.append(say.rich("specimen.artefacts", count=say.number(content.artefacts)))
    return [*joined(parts, "; "), (".", False)]


def _caption(content: SpecimenReport, say: Words) -> str:
    caption = say("specimen.intervals", whole=say.number(100, 1))
    return f"{caption} {say('specimen.held_out')}" if content.held_out else caption


def _remarks(
    content: SpecimenReport, ranges: Ranges, lines: Sequence[Line], say: Words
) -> list[str]:
    """Sentences under the differential: how its words are meant, and what could not be said."""
    said = []
    if ranges.withheld:
        said.append(say("specimen.young"))
    elif any(line.usual != CANNOT_BE_SAID for line in lines):
        said.append(say("specimen.adult", age=say.tick(ranges.settings.adult_age_years)))
    said.append(say("specimen.claims"))
    if any(line.small for line in lines):
        said.append(say("specimen.quantification"))
    if say.per_ul(content.total_per_ul.value) == CANNOT_BE_SAID:
        said.append(say("specimen.no_volume"))
    return said


def _gallery_note(content: SpecimenReport, say: Words) -> str:
    note = say("gallery.probability")
    if not content.window_um:
        return note
    return f"{note} {say('gallery.width', width=say.significant(content.window_um))}"


def _figures(content: SpecimenReport, say: Words) -> dict[str, list[Figure]]:
    """Quality figures with their names: the main ones in the glossary's order, then the others."""
    order = {code: i for i, code in enumerate(QUALITY)}
    codes = sorted(content.quality, key=lambda code: order.get(code, len(order)))
    named = [(quality_in_words(code, say), content.quality[code]) for code in codes]
    figures = [
        (name.main, Figure(name.title, name.note, quality_value(value, name, say)))
        for name, value in named
    ]
    return {
        "main_figures": [figure for main, figure in figures if main],
        "other_figures": [figure for main, figure in figures if not main],
    }


def _range_picture(content: SpecimenReport, ranges: Ranges, say: Words) -> Markup | None:
    rows = [_range_row(say("chart.white_cells"), TOTAL, content.total_per_ul, ranges)] + [
        _range_row(say.cell_class(row.cell_class), row.cell_class, row.per_ul, ranges)
        for row in content.rows
    ]
    drawable: Sequence[RangeRow] = [r for r in rows if r.standing is not Standing.NO_RANGE]
    return range_chart(drawable, say) if drawable else None


def _range_row(name: str, key: str, estimate: Estimate, ranges: Ranges) -> RangeRow:
    limits = ranges.of(key)
    return RangeRow(name, estimate, limits, standing(estimate, limits))


def _urgency(flag: Flag) -> int:
    return [Level.VIOLATION, Level.ALERT, Level.INFORMATION].index(flag.level)
