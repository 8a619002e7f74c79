"""The two charts of a specimen: shares of the classes, and concentrations against their ranges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from markupsafe import Markup

from reports.charts.svg import Axis, Sheet, nice_ceiling
from reports.content import ClassRow, Estimate, ReferenceRange
from reports.ranges import Standing
from reports.words import Words, words

WIDTH, ROW, TOP, BOTTOM = 360, 30, 8, 34
LABELS = 104  # px kept for class names
_MOST_MULTIPLES = 3.0  # of the upper limit; longer bars are cut and marked


def fraction_chart(rows: Sequence[ClassRow], say: Words | None = None) -> Markup:
    """Bars of the fractions in percent with 95 % intervals; a diamond is the analyser's value."""
    say = say or words()
    sheet = Sheet(
        WIDTH, TOP + ROW * len(rows) + BOTTOM, _fraction_words(rows, say), "chart differential"
    )
    most = max((_reach(row) for row in rows), default=1.0)
    axis = Axis(0, nice_ceiling(100 * min(most, 1.0)), LABELS, WIDTH - 12)
    _percent_scale(sheet, axis, len(rows), say)
    for i, row in enumerate(rows):
        y = TOP + ROW * (i + 0.5)
        sheet.text(LABELS - 8, y + 4, say.cell_class(row.cell_class), "name end")
        if isfinite(row.fraction.value):
            sheet.box(axis.start, y - 7, axis(100 * row.fraction.value) - axis.start, 14, "bar")
            _whisker(sheet, axis, y, row.fraction, scale=100)
        if isfinite(row.analyser_fraction):
            _diamond(sheet, axis(100 * row.analyser_fraction), y)
    return sheet.markup()


@dataclass(frozen=True, slots=True)
class RangeRow:
    """One row of the range chart; ``limits.high`` sets its scale."""

    name: str
    estimate: Estimate
    limits: ReferenceRange | None
    standing: Standing


def range_chart(rows: Sequence[RangeRow], say: Words | None = None) -> Markup:
    """Each value as a multiple of its own upper limit, so that all bands end on one line."""
    say = say or words()
    sheet = Sheet(WIDTH, TOP + ROW * len(rows) + BOTTOM, _range_words(rows, say), "chart ranges")
    scaled = [(row, _multiples(row)) for row in rows]
    reach = max([m.high for _, m in scaled if m and isfinite(m.high)], default=1.5)
    axis = Axis(0, min(max(1.5, reach * 1.05), _MOST_MULTIPLES), LABELS, WIDTH - 12)
    bottom = TOP + ROW * len(rows)
    for tick in axis.ticks(4):
        sheet.text(axis(tick), bottom + 15, f"{say.tick(tick)}×", "tick middle")
    middle = (axis.start + axis.end) / 2
    sheet.text(middle, bottom + 30, say("chart.multiples"), "axis middle")
    for i, (row, multiple) in enumerate(scaled):
        _range_row(sheet, axis, TOP + ROW * (i + 0.5), (row, multiple), say)
    sheet.line(axis(1), TOP, axis(1), bottom, "limit")
    return sheet.markup()


def _range_row(
    sheet: Sheet, axis: Axis, y: float, drawn: tuple[RangeRow, Estimate | None], say: Words
) -> None:
    row, value = drawn
    sheet.text(LABELS - 8, y + 4, row.name, "name end")
    sheet.line(axis.start, y, axis.end, y, "grid")
    if value is None or row.limits is None or not row.limits.high:
        sheet.text(axis.start + 8, y + 4, say("chart.no_range"), "tick start")
        return
    low = (row.limits.low or 0) / row.limits.high
    sheet.box(axis(low), y - 9, axis(1) - axis(low), 18, "band")
    kind = {Standing.WITHIN: "", Standing.CROSSES: ""}.get(row.standing, f" {_side(row.standing)}")
    if isfinite(value.low) and isfinite(value.high):
        _whisker(sheet, axis, y, value, kind=kind)
    sheet.dot(axis(value.value), y, 4.5, f"point{kind}")
    if not axis.covers(max(value.value, value.high if isfinite(value.high) else 0)):
        tip = axis.end + 9
        sheet.shape([(tip, y), (tip - 8, y - 5), (tip - 8, y + 5)], f"point{kind}")


def _multiples(row: RangeRow) -> Estimate | None:
    if row.limits is None or not row.limits.high or not isfinite(row.estimate.value):
        return None
    high = row.limits.high
    return Estimate(row.estimate.value / high, row.estimate.low / high, row.estimate.high / high)


def _side(standing: Standing) -> str:
    return "low" if standing in (Standing.LOW, Standing.CRITICAL_LOW) else "high"


def _percent_scale(sheet: Sheet, axis: Axis, rows: int, say: Words) -> None:
    bottom = TOP + ROW * rows
    for tick in axis.ticks():
        sheet.line(axis(tick), TOP, axis(tick), bottom, "grid")
        sheet.text(axis(tick), bottom + 15, say.tick(tick), "tick middle")
    sheet.text((axis.start + axis.end) / 2, bottom + 30, say("chart.of_white_cells"), "axis middle")


def _whisker(
    sheet: Sheet, axis: Axis, y: float, value: Estimate, *, scale: float = 1, kind: str = ""
) -> None:
    if not (isfinite(value.low) and isfinite(value.high)):
        return
    low, high = axis(scale * value.low), axis(scale * value.high)
    sheet.line(low, y, high, y, f"whisker{kind}")
    for end in (low, high):
        sheet.line(end, y - 4, end, y + 4, f"whisker{kind}")


def _diamond(sheet: Sheet, x: float, y: float) -> None:
    sheet.shape([(x, y - 6), (x + 5, y), (x, y + 6), (x - 5, y)], "analyser")


def _reach(row: ClassRow) -> float:
    values = (row.fraction.value, row.fraction.high, row.analyser_fraction)
    return max([v for v in values if isfinite(v)], default=0.0)


def _fraction_words(rows: Sequence[ClassRow], say: Words) -> str:
    parts = [
        say(
            "chart.share",
            **{"class": say.cell_class(row.cell_class)},
            value=say.percent(row.fraction.value),
            low=say.percent(row.fraction.low),
            high=say.percent(row.fraction.high),
        )
        for row in rows
    ]
    return say("chart.shares", rows="; ".join(parts))


def _range_words(rows: Sequence[RangeRow], say: Words) -> str:
    parts = [
        say(
            "chart.concentration",
            **{"class": row.name},
            value=say.per_ul(row.estimate.value),
            low=say.number(row.limits.low if row.limits else None),
            high=say.number(row.limits.high if row.limits else None),
        )
        for row in rows
    ]
    return say("chart.concentrations", rows="; ".join(parts))
