"""The charts of a study: predicted against reference, differences against means, and learning."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from markupsafe import Markup

from reports.agreement import BlandAltman, Figure
from reports.charts.svg import Axis, Sheet, nice_ceiling, nice_step
from reports.content import LearningPoint, Pair
from reports.words import Words, words

WIDTH, HEIGHT = 300, 250
LEFT, RIGHT, TOP, BOTTOM = 44, 288, 12, 208


def scatter_chart(cell_class: str, pairs: Sequence[Pair], say: Words | None = None) -> Markup:
    """Predicted (with interval) against reference, in percent, with the line of identity."""
    say = say or words()
    label = say("chart.scatter", **{"class": say.cell_class(cell_class)}, count=len(pairs))
    sheet = Sheet(WIDTH, HEIGHT, label, "chart scatter")
    low, high = _common_limits(pairs)
    x, y = Axis(low, high, LEFT, RIGHT), Axis(low, high, BOTTOM, TOP)
    _frame(sheet, x, y, ("chart.reference", "chart.predicted"), say)
    sheet.line(x(low), y(low), x(high), y(high), "identity")
    for pair in pairs:
        across, up = x(100 * pair.reference_fraction), pair.fraction
        if isfinite(up.low) and isfinite(up.high):
            sheet.line(across, y(100 * up.low), across, y(100 * up.high), "whisker thin")
        sheet.dot(across, y(100 * up.value), 3.4, "point soft", _pair_words(pair, say))
    return sheet.markup()


def bland_altman_chart(
    cell_class: str, pairs: Sequence[Pair], found: BlandAltman, say: Words | None = None
) -> Markup:
    """Differences predicted − reference (points) against the mean, with bias, limits, and CIs."""
    say = say or words()
    label = say(
        "chart.differences",
        **{"class": say.cell_class(cell_class)},
        bias=say.signed(found.bias.value),
        low=say.signed(found.lower.value),
        high=say.signed(found.upper.value),
    )
    sheet = Sheet(WIDTH, HEIGHT, label, "chart differences")
    points = [
        (
            50 * (pair.fraction.value + pair.reference_fraction),
            100 * (pair.fraction.value - pair.reference_fraction),
            pair,
        )
        for pair in pairs
    ]
    x, y = _difference_axes([p[0] for p in points], [p[1] for p in points], found)
    for figure, kind in ((found.bias, "bias"), (found.lower, "loa"), (found.upper, "loa")):
        _level(sheet, x, y, figure, kind)
    _frame(sheet, x, y, ("chart.mean", "chart.difference"), say)
    sheet.line(x.start, y(0), x.end, y(0), "zero")
    for mean, difference, pair in points:
        sheet.dot(x(mean), y(difference), 3.4, "point soft", _pair_words(pair, say))
    return sheet.markup()


def learning_chart(points: Sequence[LearningPoint], say: Words | None = None) -> Markup:
    """Error of the fractions (points) against the donors it was learned from."""
    best, last = points[0], points[-1]
    say = say or words()
    label = say(
        "chart.learning",
        first=say.percent(best.error),
        fewest=best.donors,
        last=say.percent(last.error),
        most=last.donors,
    )
    sheet = Sheet(WIDTH * 2, HEIGHT, label, "chart learning wide")
    tops = [100 * max(p.error, p.high if isfinite(p.high) else 0) for p in points]
    x = Axis(0, nice_ceiling(max(p.donors for p in points)), LEFT, 2 * WIDTH - 12)
    y = Axis(0, nice_ceiling(max(tops) or 1.0), BOTTOM, TOP)
    _frame(sheet, x, y, ("chart.donors", "chart.error"), say)
    for point in points:
        if isfinite(point.low) and isfinite(point.high):
            across = x(point.donors)
            sheet.line(across, y(100 * point.low), across, y(100 * point.high), "whisker thin")
    sheet.path([(x(p.donors), y(100 * p.error)) for p in points], "trend")
    for point in points:
        sheet.dot(x(point.donors), y(100 * point.error), 4, "point")
    return sheet.markup()


def _frame(sheet: Sheet, x: Axis, y: Axis, names: tuple[str, str], say: Words) -> None:
    across, up = (say(name) for name in names)
    for tick in x.ticks(4):
        sheet.line(x(tick), y.start, x(tick), y.end, "grid")
        sheet.text(x(tick), y.start + 15, say.tick(tick), "tick middle")
    for tick in y.ticks(4):
        sheet.line(x.start, y(tick), x.end, y(tick), "grid")
        sheet.text(x.start - 6, y(tick) + 4, say.tick(tick), "tick end")
    sheet.text((x.start + x.end) / 2, y.start + 33, across, "axis middle")
    sheet.text(12, (y.start + y.end) / 2, up, "axis middle", turned=True)


def _level(sheet: Sheet, x: Axis, y: Axis, figure: Figure, kind: str) -> None:
    if not isfinite(figure.value):
        return
    top, bottom = y(figure.high), y(figure.low)
    sheet.box(x.start, top, x.end - x.start, bottom - top, f"ci {kind}")
    sheet.line(x.start, y(figure.value), x.end, y(figure.value), kind)


def _common_limits(pairs: Sequence[Pair]) -> tuple[float, float]:
    points = [100 * v for p in pairs for v in (p.reference_fraction, p.fraction.value)]
    ends = [100 * v for p in pairs for v in (p.fraction.low, p.fraction.high) if isfinite(v)]
    # Wide intervals are cut rather than let them squeeze the points into a corner.
    most = 1.5 * max(points, default=1.0)
    low, high = _round_outwards([*points, *(min(end, most) for end in ends)])
    return low, min(high, 100.0)


def _round_outwards(values: Sequence[float]) -> tuple[float, float]:
    """Round limits around percentages: from 0 unless the data are far from it."""
    least, most = min(values, default=0.0), max(values, default=1.0)
    if most - least > 0.6 * most:
        return 0.0, nice_ceiling(most, 4) or 1.0
    step = nice_step((most - least) / 4)
    return step * (least // step), step * -(-most // step) or 1.0


def _difference_axes(
    means: Sequence[float], differences: Sequence[float], found: BlandAltman
) -> tuple[Axis, Axis]:
    # Confidence bands of few pairs are wide: they are cut a little beyond the limits.
    ends = [*differences, 1.25 * found.lower.value, 1.25 * found.upper.value, -1.0, 1.0]
    most = max(abs(v) for v in ends if isfinite(v))
    step = nice_step(most / 2)
    half = step * -(-most // step)
    left, right = _round_outwards(means)
    return Axis(left, max(right, left + 1e-6), LEFT, RIGHT), Axis(-half, half, BOTTOM, TOP)


def _pair_words(pair: Pair, say: Words) -> str:
    return say(
        "chart.pair",
        specimen=pair.specimen_id,
        value=say.percent(pair.fraction.value),
        reference=say.percent(pair.reference_fraction),
    )
