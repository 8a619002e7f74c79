"""The report of one study: agreement with the analyser, specimens, quarantine, what was learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from markupsafe import Markup

from cellcensus.findings import Level
from cellcensus.settings import ReportSettings
from reports import agreement
from reports.charts.agreement import bland_altman_chart, learning_chart, scatter_chart
from reports.content import Pair, SpecimenLine, StudyReport
from reports.glossary import flag_in_words
from reports.identity import report_id, report_sha256
from reports.numbers import CANNOT_BE_SAID, number, per_ul, percent, percentages, signed
from reports.pages import environment, style


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


def render_study(content: StudyReport, settings: ReportSettings | None = None) -> str:
    """One self-contained HTML page; links lead to the specimens' reports beside it."""
    settings = settings or ReportSettings()
    title = f"{content.study} · {report_id(content)}"
    return (
        environment()
        .get_template("study.html")
        .render(**study_view(content), style=style(settings.paper, title))
    )


def study_view(content: StudyReport) -> dict[str, Any]:
    """Everything the template of a study needs, also for the web page that frames it."""
    classes = [agree(name, of_class(content.pairs, name)) for name in content.classes]
    worst = _worst(content)
    curve = content.learning_curve
    return {
        "report": content,
        "id": report_id(content),
        "sha256": report_sha256(content),
        "agreements": [found for found in classes if found.n],
        "donors": len({pair.donor_id for pair in content.pairs}),
        "worst": worst,
        "controls": control_rows(content.controls),
        "curve": learning_chart(curve) if len(curve) > 1 else None,
        "specimens": [_specimen_row(line, content.classes) for line in content.specimens],
        "counts": _role_counts(content.specimens),
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


def agree(cell_class: str, pairs: Sequence[Pair]) -> ClassAgreement:
    """All figures and charts of one class, in words."""
    predicted = [100 * pair.fraction.value for pair in pairs]
    reference = [100 * pair.reference_fraction for pair in pairs]
    found = agreement.bland_altman(predicted, reference)
    donors = [pair.donor_id for pair in pairs]
    return ClassAgreement(
        cell_class=cell_class,
        n=len(pairs),
        mean_error=number(agreement.mean_absolute_error(predicted, reference), 1),
        largest_error=number(agreement.largest_error(predicted, reference), 1),
        bias=_two_parts(_figure(found.bias, plus=True)),
        limits=f"{signed(found.lower.value)} to {signed(found.upper.value)}",
        coverage=_coverage(pairs),
        passing_bablok=_line(agreement.passing_bablok(predicted, reference)),
        deming=_line(agreement.deming(predicted, reference, donors=donors)),
        concordance=_two_parts(_figure(agreement.concordance(predicted, reference), decimals=2)),
        scatter=scatter_chart(cell_class, pairs),
        differences=bland_altman_chart(cell_class, pairs, found),
    )


def control_rows(controls: Sequence[Pair]) -> list[dict[str, str]]:
    """Known composition against predicted, one row a control and class."""
    shown = _as_on_its_report(controls)
    return [
        {
            "specimen_id": pair.specimen_id,
            "cell_class": pair.cell_class,
            "known": percent(pair.reference_fraction),
            "predicted": shown[pair.specimen_id, pair.cell_class],
            "interval": f"{percent(pair.fraction.low)} – {percent(pair.fraction.high)}",
            "difference": signed(100 * (pair.fraction.value - pair.reference_fraction)),
            "inside": _inside_words(pair),
        }
        for pair in controls
    ]


def _as_on_its_report(pairs: Sequence[Pair]) -> dict[tuple[str, str], str]:
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
            shown[name, pair.cell_class] = number(value, 1)
    return shown


def _worst(content: StudyReport) -> tuple[str, str] | None:
    errors = {}
    for name in content.classes:
        pairs = of_class(content.pairs, name)
        if pairs:
            gaps = [abs(p.fraction.value - p.reference_fraction) for p in pairs]
            errors[name] = 100 * sum(gaps) / len(gaps)
    if not errors:
        return None
    name = max(errors, key=lambda key: errors[key])
    return name, number(errors[name], 1)


def _two_parts(text: str) -> tuple[str, str]:
    value, _, interval = text.partition(" (")
    return value, interval.rstrip(")")


def _coverage(pairs: Sequence[Pair]) -> tuple[str, str]:
    judged = [pair for pair in pairs if isfinite(pair.fraction.low)]
    inside = sum(_inside(pair) for pair in judged)
    share = agreement.wilson(inside, len(judged))
    if not judged:
        return CANNOT_BE_SAID, ""
    return f"{inside} of {len(judged)}", f"{percent(share.low, 0)} to {percent(share.high, 0)} %"


def _inside(pair: Pair) -> bool:
    return pair.fraction.low <= pair.reference_fraction <= pair.fraction.high


def _inside_words(pair: Pair) -> str:
    if not isfinite(pair.fraction.low):
        return CANNOT_BE_SAID
    return "inside" if _inside(pair) else "outside"


def _figure(figure: agreement.Figure, *, plus: bool = False, decimals: int = 1) -> str:
    show = signed if plus else number
    if not isfinite(figure.value):
        return CANNOT_BE_SAID
    if not (isfinite(figure.low) and isfinite(figure.high)):
        return show(figure.value, decimals)
    low, high = show(figure.low, decimals), show(figure.high, decimals)
    return f"{show(figure.value, decimals)} ({low} to {high})"


def _line(line: agreement.Line) -> str:
    if not isfinite(line.slope.value):
        return CANNOT_BE_SAID
    slope, intercept = _figure(line.slope, decimals=2), _figure(line.intercept, plus=True)
    return f"slope {slope}; intercept {intercept}"


def _specimen_row(line: SpecimenLine, classes: Sequence[str]) -> dict[str, Any]:
    values = [line.fractions.get(name, float("nan")) for name in classes]
    return {
        "line": line,
        "total": per_ul(line.total_per_ul),
        "cells": number(line.cells),
        "percentages": [number(value, 1) for value in percentages(values)],
        "flags": [f for f in map(flag_in_words, line.flags) if f.level is not Level.INFORMATION],
    }


def _role_counts(lines: Sequence[SpecimenLine]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for line in lines:
        counts[line.role] = counts.get(line.role, 0) + 1
    return counts
