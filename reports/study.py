"""The report of one study: agreement with the analyser, specimens, quarantine, what was learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from cellcensus.findings import Level
from cellcensus.settings import ReportSettings
from reports import agreement
from reports.charts.agreement import bland_altman_chart, learning_chart, scatter_chart
from reports.charts.learning import (
    capacity_chart,
    course_chart,
    expected_chart,
    methods_chart,
)
from reports.content import ExampleCell, ExampleShelf, Pair, Quarantined, SpecimenLine, StudyReport
from reports.findings import problem_in_words, sentence_in_words
from reports.glossary import flag_in_words
from reports.identity import report_id
from reports.numbers import CANNOT_BE_SAID, percentages
from reports.pages import environment, style
from reports.parts import Fact, notes, running_title, shared_view
from reports.pictures import png_address
from reports.words import Rich, Words, words


@dataclass(frozen=True, slots=True)
class ClassAgreement:
    """How well one class agrees with its reference; errors in percentage points."""

    cell_class: str
    n: int
    mean_error: str
    largest_error: str
    bias: tuple[str, str]
    limits: str
    coverage: tuple[str, str]
    passing_bablok: str
    deming: str
    concordance: tuple[str, str]
    scatter: Markup
    differences: Markup


def render_study(
    content: StudyReport, settings: ReportSettings | None = None, language: str | None = None
) -> str:
    """One self-contained HTML page; links lead to the specimens' reports beside it."""
    settings = settings or ReportSettings()
    say = words(language or settings.language)
    title = running_title(content, content.study, say)
    return (
        environment(say.language)
        .get_template("study.html")
        .render(
            **study_view(content, say), png=png_address, style=style(settings.paper, title, say)
        )
    )


def study_view(content: StudyReport, say: Words | None = None) -> dict[str, Any]:
    """Everything a study's report shows, in words; HTML and PDF are drawn from it."""
    say = say or words()
    classes = [agree(name, of_class(content.pairs, name), say) for name in content.classes]
    return {
        **shared_view(content, say),
        "title": say("study.title", study=content.study),
        "facts": _facts(content, say),
        "classes": [say.cell_class(name) for name in content.classes],
        "agreements": [found for found in classes if found.n],
        "lead": _lead(content, say),
        "controls": control_rows(content.controls, say),
        "quarantined": [_aside(item, say) for item in content.quarantined],
        "learning": [
            *(sentence_in_words(sentence, say) for sentence in content.learning),
            *_recoveries(content, say),
        ],
        "plots": _plots(content, say),
        "examples": [_shelf(shelf, say) for shelf in content.examples],
        "findings": notes(content.findings, say, named=True),
        "specimens": [_specimen_row(line, content.classes, say) for line in content.specimens],
    }


def _recoveries(content: StudyReport, say: Words) -> list[str]:
    """One sentence an instrument; that of all together only where no instrument is named."""
    named = {name: found for name, found in content.recoveries.items() if name}
    return [
        say(
            "study.recovery",
            instrument=name or say("study.all_instruments"),
            **{part: say.number(getattr(found, part), 2) for part in ("value", "low", "high")},
        )
        for name, found in (named or content.recoveries).items()
    ]


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture of what was learned, and what it says in words."""

    name: str
    picture: Markup
    caption: str


def _plots(content: StudyReport, say: Words) -> list[Plot]:
    curve, ahead = content.learning_curve, content.foresight
    plots = []
    if len(curve) > 1 and ahead is not None and isfinite(ahead.floor):
        picture = expected_chart(curve, ahead, say)
        plots.append(Plot("expected", picture, say("study.expected", donors=ahead.donors)))
    elif len(curve) > 1:
        plots.append(Plot("curve", learning_chart(curve, say), say("study.curve")))
    if ahead is not None and ahead.methods:
        picture = methods_chart(ahead.methods, say)
        plots.append(Plot("methods", picture, say("study.methods")))
    if ahead is not None and len(ahead.capacity) > 2:
        picture = capacity_chart(ahead.capacity, ahead.donors, say)
        plots.append(Plot("capacity", picture, say("study.capacity")))
    if ahead is not None and len(ahead.course) > 1:
        plots.append(Plot("course", course_chart(ahead.course, say), say("study.course")))
    return plots


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A cell as it is shown: its picture, what a screen reader says, and the number below."""

    pixels: NDArray[np.uint8]
    alt: str
    value: str


def _shelf(shelf: ExampleShelf, say: Words) -> dict[str, Any]:
    name = say.cell_class(shelf.cell_class)
    rows = {
        "gallery.typical": (shelf.typical, False),
        "gallery.uncertain": (shelf.uncertain, False),
        "study.influential": (shelf.influential, True),
    }
    return {
        "name": name,
        "rows": [
            (say(key), [_example(cell, name, say, signed=signed) for cell in cells])
            for key, (cells, signed) in rows.items()
            if cells
        ],
    }


def _example(cell: ExampleCell, name: str, say: Words, *, signed: bool) -> Example:
    values = {"class": name, "cell": cell.cell_id, "specimen": cell.specimen_id}
    value = say.signed(1000 * cell.value, 2) if signed else say.percent(cell.value, 0)
    return Example(cell.pixels, say("study.example", **values), value)


def _facts(content: StudyReport, say: Words) -> list[Fact]:
    counts = _role_counts(content.specimens)
    return [
        Fact(say("fact.specimens"), say.number(len(content.specimens))),
        *(Fact(_headed(say.of("role_word", r)), say.number(n)) for r, n in counts.items()),
        Fact(say("fact.quarantined"), say.number(len(content.quarantined))),
        Fact(say("fact.generated"), say.when(content.generated_at)),
        Fact(say("fact.report"), report_id(content)),
    ]


def _headed(word: str) -> str:
    return word[:1].upper() + word[1:]


def _lead(content: StudyReport, say: Words) -> Rich:
    worst = _worst(content, say)
    if worst is None:
        return say.rich("study.nothing")
    donors = len({pair.donor_id for pair in content.pairs})
    values = {"class": say.cell_class(worst[0]), "error": worst[1], "donors": donors}
    return say.rich("study.worst", **values)


def _aside(item: Quarantined, say: Words) -> dict[str, str]:
    reason, action = problem_in_words(item.code, item.reason, item.next_step, say)
    return {
        "specimen_id": item.specimen_id,
        "recording": item.recording or CANNOT_BE_SAID,
        "reason": f"{reason}.",
        "code": item.code,
        "action": action or CANNOT_BE_SAID,
    }


def of_class(pairs: Sequence[Pair], cell_class: str) -> list[Pair]:
    """The pairs of one class where both values can be said."""
    return [
        pair
        for pair in pairs
        if pair.cell_class == cell_class
        and isfinite(pair.fraction.value)
        and isfinite(pair.reference_fraction)
    ]


def agree(cell_class: str, pairs: Sequence[Pair], say: Words | None = None) -> ClassAgreement:
    """All figures and charts of one class, in words."""
    say = say or words()
    predicted = [100 * pair.fraction.value for pair in pairs]
    reference = [100 * pair.reference_fraction for pair in pairs]
    found = agreement.bland_altman(predicted, reference)
    donors = [pair.donor_id for pair in pairs]
    return ClassAgreement(
        cell_class=say.cell_class(cell_class),
        n=len(pairs),
        mean_error=say.number(agreement.mean_absolute_error(predicted, reference), 1),
        largest_error=say.number(agreement.largest_error(predicted, reference), 1),
        bias=_figure(found.bias, say, plus=True),
        limits=_range(say.signed(found.lower.value), say.signed(found.upper.value), say),
        coverage=_coverage(pairs, say),
        passing_bablok=_line(agreement.passing_bablok(predicted, reference), say),
        deming=_line(agreement.deming(predicted, reference, donors=donors), say),
        concordance=_figure(agreement.concordance(predicted, reference), say, decimals=2),
        scatter=scatter_chart(cell_class, pairs, say),
        differences=bland_altman_chart(cell_class, pairs, found, say),
    )


def control_rows(controls: Sequence[Pair], say: Words | None = None) -> list[dict[str, str]]:
    """Known composition against predicted, one row a control and class."""
    say = say or words()
    shown = _as_on_its_report(controls)
    return [
        {
            "specimen_id": pair.specimen_id,
            "cell_class": say.cell_class(pair.cell_class),
            "known": say.percent(pair.reference_fraction),
            "predicted": say.number(shown[pair.specimen_id, pair.cell_class], 1),
            "interval": f"{say.percent(pair.fraction.low)}–{say.percent(pair.fraction.high)}",
            "difference": say.signed(100 * (pair.fraction.value - pair.reference_fraction)),
            "inside": _inside_words(pair, say),
        }
        for pair in controls
    ]


def _as_on_its_report(pairs: Sequence[Pair]) -> dict[tuple[str, str], float]:
    """Percentages rounded together where all classes of a specimen are there, as on its report."""
    specimens: dict[str, list[Pair]] = {}
    for pair in pairs:
        specimens.setdefault(pair.specimen_id, []).append(pair)
    shown = {}
    for name, members in specimens.items():
        values = [pair.fraction.value for pair in members]
        whole = abs(sum(values) - 1) < 1e-6
        rounded = percentages(values) if whole else [100 * value for value in values]
        for pair, value in zip(members, rounded, strict=True):
            shown[name, pair.cell_class] = value
    return shown


def _worst(content: StudyReport, say: Words) -> tuple[str, str] | None:
    errors = {}
    for name in content.classes:
        pairs = of_class(content.pairs, name)
        if pairs:
            gaps = [abs(p.fraction.value - p.reference_fraction) for p in pairs]
            errors[name] = 100 * sum(gaps) / len(gaps)
    if not errors:
        return None
    name = max(errors, key=lambda key: errors[key])
    return name, say.number(errors[name], 1)


def _range(low: str, high: str, say: Words) -> str:
    return say("study.to", low=low, high=high)


def _coverage(pairs: Sequence[Pair], say: Words) -> tuple[str, str]:
    judged = [pair for pair in pairs if isfinite(pair.fraction.low)]
    inside = sum(_inside(pair) for pair in judged)
    share = agreement.wilson(inside, len(judged))
    if not judged:
        return CANNOT_BE_SAID, ""
    limits = _range(say.percent(share.low, 0), say.percent(share.high, 0), say)
    return say("study.out_of", inside=inside, all=len(judged)), f"{limits} %"


def _inside(pair: Pair) -> bool:
    return pair.fraction.low <= pair.reference_fraction <= pair.fraction.high


def _inside_words(pair: Pair, say: Words) -> str:
    if not isfinite(pair.fraction.low):
        return CANNOT_BE_SAID
    return say("study.inside" if _inside(pair) else "study.outside")


def _figure(
    figure: agreement.Figure, say: Words, *, plus: bool = False, decimals: int = 1
) -> tuple[str, str]:
    """A figure and its interval; the second is empty where there is none."""
    show = say.signed if plus else say.number
    if not isfinite(figure.value):
        return CANNOT_BE_SAID, ""
    if not (isfinite(figure.low) and isfinite(figure.high)):
        return show(figure.value, decimals), ""
    limits = _range(show(figure.low, decimals), show(figure.high, decimals), say)
    return show(figure.value, decimals), limits


def _line(line: agreement.Line, say: Words) -> str:
    if not isfinite(line.slope.value):
        return CANNOT_BE_SAID
    slope = _figure(line.slope, say, decimals=2)
    intercept = _figure(line.intercept, say, plus=True)
    return say("study.line", slope=_bracketed(slope), intercept=_bracketed(intercept))


def _bracketed(figure: tuple[str, str]) -> str:
    return f"{figure[0]} ({figure[1]})" if figure[1] else figure[0]


def _specimen_row(line: SpecimenLine, classes: Sequence[str], say: Words) -> dict[str, Any]:
    values = [line.fractions.get(name, float("nan")) for name in classes]
    flags = [flag_in_words(code, say) for code in line.flags]
    return {
        "specimen_id": line.specimen_id,
        "donor_id": line.donor_id,
        "link": line.link,
        "acquired": say.day(line.acquired_at),
        "instrument": line.instrument_id or CANNOT_BE_SAID,
        "role": say.of("role_word", line.role),
        "state": say.of("state", line.state),
        "total": say.per_ul(line.total_per_ul),
        "cells": say.number(line.cells),
        "percentages": [say.number(value, 1) for value in percentages(values)],
        "flags": [flag.title for flag in flags if flag.level is not Level.INFORMATION],
    }


def _role_counts(lines: Sequence[SpecimenLine]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for line in lines:
        counts[line.role] = counts.get(line.role, 0) + 1
    return counts
