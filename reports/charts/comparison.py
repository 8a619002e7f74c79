"""Two methods against each other: the regression with both lines, and the differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from markupsafe import Markup

from reports.agreement import BlandAltman, Figure, Line
from reports.charts.svg import Axis, Sheet, nice_ceiling, nice_step
from reports.numbers import number

WIDTH, HEIGHT = 340, 270
LEFT, RIGHT, TOP, BOTTOM = 54, 330, 12, 226


@dataclass(frozen=True, slots=True)
class Point:
    """One specimen, in shown values; ``low`` and ``high`` are the prediction's interval."""

    specimen_id: str
    donor_id: str
    predicted: float
    reference: float
    low: float
    high: float

    def words(self) -> str:
        """What is told when it is pointed at."""
        return f"{self.specimen_id}: predicted {self.predicted:.1f}, reference {self.reference:.1f}"


def regression_chart(
    cell_class: str, points: Sequence[Point], passing_bablok: Line, deming: Line, unit: str
) -> Markup:
    """Predicted against reference: identity (fine), Passing–Bablok (bold), Deming (broken)."""
    words = (
        f"{cell_class}: predicted against reference of {len(points)} specimens in {unit}; "
        f"Passing–Bablok slope {number(passing_bablok.slope.value, 2)}, "
        f"Deming slope {number(deming.slope.value, 2)}"
    )
    sheet = Sheet(WIDTH, HEIGHT, words, "chart scatter")
    low, high = _limits(points)
    x, y = Axis(low, high, LEFT, RIGHT), Axis(low, high, BOTTOM, TOP)
    frame(sheet, x, y, f"reference, {unit}", f"predicted, {unit}")
    sheet.line(x(low), y(low), x(high), y(high), "identity")
    for point in points:
        if isfinite(point.low) and isfinite(point.high):
            across = x(point.reference)
            sheet.line(across, y(point.low), across, y(point.high), "whisker thin")
    _draw_line(sheet, (x, y), passing_bablok, "bias")
    _draw_line(sheet, (x, y), deming, "loa")
    for point in points:
        sheet.dot(x(point.reference), y(point.predicted), 3.4, "point soft", point.words())
    return sheet.markup()


def differences_chart(
    cell_class: str, points: Sequence[Point], found: BlandAltman, units: tuple[str, str]
) -> Markup:
    """Bland–Altman: differences against means, with bias, limits and their intervals."""
    unit, of_difference = units
    words = (
        f"{cell_class}: difference against mean in {of_difference}; bias "
        f"{number(found.bias.value, 1)}, limits of agreement {number(found.lower.value, 1)} to "
        f"{number(found.upper.value, 1)}"
    )
    sheet = Sheet(WIDTH, HEIGHT, words, "chart differences")
    means = [(p.predicted + p.reference) / 2 for p in points]
    gaps = [p.predicted - p.reference for p in points]
    ends = [*gaps, 1.25 * found.lower.value, 1.25 * found.upper.value, 1e-3]
    most = max(abs(v) for v in ends if isfinite(v))
    step = nice_step(most / 2)
    half = step * -(-most // step)
    left, right = outwards(means)
    x, y = Axis(left, right, LEFT, RIGHT), Axis(-half, half, BOTTOM, TOP)
    for figure, kind in ((found.bias, "bias"), (found.lower, "loa"), (found.upper, "loa")):
        _level(sheet, (x, y), figure, kind)
    frame(sheet, x, y, f"mean of both, {unit}", f"predicted − reference, {of_difference}")
    sheet.line(x.start, y(0), x.end, y(0), "zero")
    for point, mean, gap in zip(points, means, gaps, strict=True):
        sheet.dot(x(mean), y(gap), 3.4, "point soft", point.words())
    return sheet.markup()


def frame(sheet: Sheet, x: Axis, y: Axis, across: str, up: str) -> None:
    """Grid, numbers and names of two axes."""
    for tick in x.ticks(4):
        sheet.line(x(tick), y.start, x(tick), y.end, "grid")
        sheet.text(x(tick), y.start + 15, number(tick, _decimals(tick)), "tick middle")
    for tick in y.ticks(4):
        sheet.line(x.start, y(tick), x.end, y(tick), "grid")
        sheet.text(x.start - 6, y(tick) + 4, number(tick, _decimals(tick)), "tick end")
    sheet.text((x.start + x.end) / 2, y.start + 34, across, "axis middle")
    sheet.text(12, (y.start + y.end) / 2, up, "axis middle", turned=True)


def outwards(values: Sequence[float]) -> tuple[float, float]:
    """Round limits around values of one sign: from 0 unless the values are far from it."""
    least, most = min(values, default=0.0), max(values, default=1.0)
    if most - least > 0.6 * most:
        return min(0.0, least), nice_ceiling(most, 4) or 1.0
    step = nice_step((most - least) / 4)
    low, high = step * (least // step), step * -(-most // step)
    return low, high if high > low else low + step


def _decimals(tick: float) -> int:
    return next((n for n in range(4) if round(tick, n) == tick), 3)


def _limits(points: Sequence[Point]) -> tuple[float, float]:
    values = [v for p in points for v in (p.predicted, p.reference)]
    # Wide intervals are cut rather than let them squeeze the points into a corner.
    most = 1.4 * max(values, default=1.0)
    ends = [min(v, most) for p in points for v in (p.low, p.high) if isfinite(v)]
    return outwards([*values, *ends])


def _draw_line(sheet: Sheet, axes: tuple[Axis, Axis], line: Line, kind: str) -> None:
    x, y = axes
    slope, intercept = line.slope.value, line.intercept.value
    if not (isfinite(slope) and isfinite(intercept)):
        return
    ends = []
    for end in (x.low, x.high):
        # Cut where it leaves the picture, keeping its slope.
        up = min(max(intercept + slope * end, y.low), y.high)
        across = (up - intercept) / slope if slope else end
        ends.append((x(across), y(up)))
    sheet.line(*ends[0], *ends[1], kind)


def _level(sheet: Sheet, axes: tuple[Axis, Axis], figure: Figure, kind: str) -> None:
    x, y = axes
    if not isfinite(figure.value):
        return
    top, bottom = y(figure.high), y(figure.low)
    sheet.box(x.start, top, x.end - x.start, bottom - top, f"ci {kind}")
    sheet.line(x.start, y(figure.value), x.end, y(figure.value), kind)
