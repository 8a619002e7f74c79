"""How well each class agrees with the analyser, in figures with their intervals, for a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, isnan

from markupsafe import Markup

from reports import agreement
from reports.agreement import NO_LINE, BlandAltman, Figure, Line
from reports.charts.comparison import Point, differences_chart, regression_chart
from reports.content import Estimate, Pair
from reports.numbers import CANNOT_BE_SAID, number, signed

MOST_PAIRS = 2000
"""More are not drawn and not fitted by pairwise slopes, whose number grows with the square."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What is compared: ``scale`` makes the shown value of the stored one."""

    code: str
    name: str
    of_difference: str
    scale: float
    decimals: int


PERCENT = Unit("percent", "%", "points", 100.0, 1)
PER_UL = Unit("per_ul", "cells/µL", "cells/µL", 1.0, 0)
UNITS = {unit.code: unit for unit in (PERCENT, PER_UL)}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One class, predicted against its reference; every figure in the unit's shown values."""

    cell_class: str
    unit: Unit
    n: int
    donors: int
    mean_error: float
    largest_error: float
    differences: BlandAltman
    passing_bablok: Line
    deming: Line
    concordance: Figure
    inside: Figure
    regression_picture: Markup
    differences_picture: Markup

    def shown(self, figure: Figure, *, plus: bool = False) -> tuple[str, str]:
        """A value in the unit, and its interval."""
        write = signed if plus else number
        decimals = self.unit.decimals
        return (
            write(figure.value, decimals),
            _interval(write(figure.low, decimals), write(figure.high, decimals)),
        )

    def verdict(self) -> str:
        """What the intervals say, in one sentence."""
        if self.n < agreement.MINIMUM_PAIRS:
            return "Too few specimens to say anything."
        found = [
            word
            for word, figure, expected in (
                ("a constant difference", self.passing_bablok.intercept, 0.0),
                ("a proportional difference", self.passing_bablok.slope, 1.0),
            )
            if _can_be_said(figure) and not figure.low <= expected <= figure.high
        ]
        if not isfinite(self.passing_bablok.slope.value):
            return "A line cannot be fitted."
        if not found:
            return "Neither a constant nor a proportional difference can be shown."
        return f"There is {' and '.join(found)}."


def coefficient(figure: Figure) -> tuple[str, str]:
    """A slope or a correlation with two decimals, and its interval."""
    if not isfinite(figure.value):
        return CANNOT_BE_SAID, ""
    return number(figure.value, 2), _interval(_end(figure.low), _end(figure.high))


def compare(cell_class: str, pairs: Sequence[Pair], unit: Unit = PERCENT) -> Comparison:
    """All figures and pictures of one class.

    Parameters
    ----------
    pairs
        Of all classes; those of this class where both values can be said are used.
    """
    points = [
        p for p in (_point(pair, unit) for pair in pairs if pair.cell_class == cell_class) if p
    ]
    points = points[:MOST_PAIRS]
    predicted, reference = [p.predicted for p in points], [p.reference for p in points]
    donors = [p.donor_id for p in points]
    differences = agreement.bland_altman(predicted, reference)
    lines = agreement.passing_bablok(predicted, reference) if points else NO_LINE
    deming = agreement.deming(predicted, reference, donors=donors) if points else NO_LINE
    judged = [p for p in points if isfinite(p.low) and isfinite(p.high)]
    return Comparison(
        cell_class=cell_class,
        unit=unit,
        n=len(points),
        donors=len(set(donors)),
        mean_error=agreement.mean_absolute_error(predicted, reference),
        largest_error=agreement.largest_error(predicted, reference),
        differences=differences,
        passing_bablok=lines,
        deming=deming,
        concordance=agreement.concordance(predicted, reference),
        inside=agreement.wilson(sum(p.low <= p.reference <= p.high for p in judged), len(judged)),
        regression_picture=regression_chart(cell_class, points, lines, deming, unit.name),
        differences_picture=differences_chart(
            cell_class, points, differences, (unit.name, unit.of_difference)
        ),
    )


def _point(pair: Pair, unit: Unit) -> Point | None:
    estimate, reference = _values(pair, unit)
    if not (isfinite(estimate.value) and isfinite(reference)):
        return None
    scale = unit.scale
    return Point(
        pair.specimen_id,
        pair.donor_id,
        scale * estimate.value,
        scale * reference,
        scale * estimate.low,
        scale * estimate.high,
    )


def _values(pair: Pair, unit: Unit) -> tuple[Estimate, float]:
    if unit is PER_UL:
        return pair.per_ul, pair.reference_per_ul
    return pair.fraction, pair.reference_fraction


def _can_be_said(figure: Figure) -> bool:
    return isfinite(figure.value) and not (isnan(figure.low) or isnan(figure.high))


def _interval(low: str, high: str) -> str:
    return "" if CANNOT_BE_SAID in (low, high) else f"{low} to {high}"


def _end(value: float) -> str:
    if value in (inf, -inf):
        return "∞" if value > 0 else "−∞"
    return number(value, 2)
