"""What was learned, as pictures: more donors, the size of a head, and the methods side by side."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, log2, sqrt

from markupsafe import Markup

from reports.charts.svg import Axis, Sheet, nice_ceiling
from reports.content import CapacityPoint, CoursePoint, Foresight, LearningPoint, MethodError
from reports.words import Words, words

WIDTH, HEIGHT, ROW = 600, 250, 34
LEFT, RIGHT, TOP, BOTTOM = 44, 588, 12, 208
_AHEAD = 4  # so many times the present donors are looked ahead to
_TALLEST = 4.0  # a peak is cut at so many times the error that ridge keeps
_LABELS = 300  # px kept for names of methods
_STAGES = {"purified": "chart.stage_purified", "mixed": "chart.stage_mixed"}  # in their order


def expected_chart(
    points: Sequence[LearningPoint], foresight: Foresight, say: Words | None = None
) -> Markup:
    """Measured errors against donors, their fit, and the fit going on to more donors (broken)."""
    say = say or words()
    now, most = foresight.donors, _AHEAD * foresight.donors
    ends = {"now": now, "most": most}
    label = say(
        "chart.expected",
        **ends,
        error=say.percent(_fit(foresight, now)),
        later=say.percent(_fit(foresight, most)),
    )
    sheet = Sheet(WIDTH, HEIGHT, label, "chart learning wide")
    tops = [100 * (p.high if isfinite(p.high) else p.error) for p in points]
    x = Axis(0, nice_ceiling(most), LEFT, RIGHT)
    y = Axis(0, nice_ceiling(max([*tops, 0.1])), BOTTOM, TOP)
    _frame(sheet, x, y, ("chart.donors", "chart.error"), say)
    first = min((p.donors for p in points), default=now)
    sheet.path(_along(foresight, x, y, first, now), "trend")
    sheet.path(_along(foresight, x, y, now, most), "trend ahead")
    for point in points:
        if isfinite(point.low) and isfinite(point.high):
            across = x(point.donors)
            sheet.line(across, y(100 * point.low), across, y(100 * point.high), "whisker thin")
        sheet.dot(x(point.donors), y(100 * point.error), 3.6, "point")
    for donors in (now, 2 * now, most):
        error = _fit(foresight, donors)
        at = y(100 * error)
        sheet.dot(x(donors), at, 4.2, "point soft")
        # Beside the whisker of what was measured, and inside the frame.
        across, place = (x(donors), "end") if donors == most else (x(donors) + 7, "start")
        sheet.text(across, at - 9, say.percent(error), f"tick {place}")
    return sheet.markup()


def capacity_chart(points: Sequence[CapacityPoint], bags: int, say: Words | None = None) -> Markup:
    """Error of a head against its size, bare (broken) and with ridge; sizes double to the right."""
    say = say or words()
    worst = max(points, key=lambda p: p.bare)
    kept = max(p.ridged for p in points)
    label = say(
        "chart.capacity",
        peak=say.percent(worst.bare),
        size=worst.numbers,
        bags=bags,
        ridge=say.percent(kept),
    )
    sheet = Sheet(WIDTH, HEIGHT, label, "chart capacity wide")
    x = Axis(log2(points[0].numbers), log2(points[-1].numbers), LEFT, RIGHT)
    top = min(100 * worst.bare, 100 * _TALLEST * kept)
    y = Axis(0, nice_ceiling(top), BOTTOM, TOP)
    _rows(sheet, x, y, say)
    for point in points:
        sheet.line(x(log2(point.numbers)), y.start, x(log2(point.numbers)), y.end, "grid")
    for point in _apart(points):
        sheet.text(x(log2(point.numbers)), y.start + 15, say.number(point.numbers), "tick middle")
    _names(sheet, x, y, ("chart.numbers", "chart.error"), say)
    if x.covers(log2(bags)):
        sheet.line(x(log2(bags)), y.start, x(log2(bags)), y.end, "limit")
        sheet.text(x(log2(bags)) + 5, y.end + 10, say("chart.as_many", bags=bags), "tick start")
    sheet.path([(x(log2(p.numbers)), y(100 * p.bare)) for p in points], "trend ahead")
    sheet.path([(x(log2(p.numbers)), y(100 * p.ridged)) for p in points], "trend")
    for point in points:
        at = x(log2(point.numbers))
        # Hollow where bare, so that the two are told apart without colour.
        sheet.dot(at, y(100 * point.bare), 3.4, "analyser", say.percent(point.bare))
        sheet.dot(at, y(100 * point.ridged), 3.4, "point", say.percent(point.ridged))
    return sheet.markup()


def methods_chart(methods: Sequence[MethodError], say: Words | None = None) -> Markup:
    """Error of each method on the same left-out donors: bar, mean error; diamond, worst class."""
    say = say or words()
    told = ", ".join(f"{say.of('method', m.method)} {say.percent(m.mean)}" for m in methods)
    height = TOP + ROW * len(methods) + 40
    sheet = Sheet(WIDTH, height, say("chart.methods", methods=told), "chart methods wide")
    bottom = TOP + ROW * len(methods)
    x = Axis(0, nice_ceiling(100 * max([m.worst for m in methods] + [0.001])), _LABELS, RIGHT)
    for tick in x.ticks(5):
        sheet.line(x(tick), bottom, x(tick), TOP, "grid")
        sheet.text(x(tick), bottom + 15, say.tick(tick), "tick middle")
    sheet.text((_LABELS + RIGHT) / 2, bottom + 32, say("chart.error"), "axis middle")
    for i, method in enumerate(methods):
        middle = TOP + ROW * (i + 0.5)
        name = say.of("method_short", method.method)
        sheet.text(_LABELS - 8, middle + 4, name, "method end" if method.chosen else "tick end")
        end = x(100 * method.mean)
        sheet.box(_LABELS, middle - 8, end - _LABELS, 16, "bar")
        at = x(100 * method.worst)
        corners = [(at, middle - 6), (at + 6, middle), (at, middle + 6), (at - 6, middle)]
        sheet.shape(corners, "point")
    return sheet.markup()


def course_chart(points: Sequence[CoursePoint], say: Words | None = None) -> Markup:
    """Error of left-out donors as training went on: purified specimens first, then mixed ones."""
    say = say or words()
    first, last = points[0].error, points[-1].error
    between = [p.error for p in points if p.stage == "purified"]
    sheet = Sheet(
        WIDTH,
        HEIGHT,
        say(
            "chart.course",
            first=say.percent(first),
            between=say.percent(between[-1]) if between else "–",
            last=say.percent(last),
        ),
        "chart course wide",
    )
    stages = [stage for stage in _STAGES if any(p.stage == stage for p in points)]
    x = Axis(0, len(stages), LEFT, RIGHT)
    y = Axis(0, nice_ceiling(max(100 * p.error for p in points)), BOTTOM, TOP)
    _rows(sheet, x, y, say)
    for number, stage in enumerate(stages):
        if number:
            sheet.line(x(number), y.start, x(number), y.end, "limit")
        for part in (0.25, 0.5, 0.75, 1.0):
            at = x(number + part)
            sheet.text(at, y.start + 15, say.tick(100 * part), "tick middle")
        sheet.text(x(number + 0.5), y.end + 10, say(_STAGES[stage]), "tick middle")
    _names(sheet, x, y, ("chart.done", "chart.error"), say)
    places = [(x(stages.index(p.stage) + p.part), y(100 * p.error)) for p in points]
    sheet.path(places, "trend")
    for (across, up), point in zip(places, points, strict=True):
        sheet.dot(across, up, 3.4, "point", say.percent(point.error))
    return sheet.markup()


def _fit(foresight: Foresight, donors: float) -> float:
    return sqrt(foresight.floor**2 + foresight.slope**2 / max(donors, 1))


def _along(
    foresight: Foresight, x: Axis, y: Axis, first: float, last: float
) -> list[tuple[float, float]]:
    steps = [first + (last - first) * i / 40 for i in range(41)]
    return [(x(donors), y(100 * _fit(foresight, donors))) for donors in steps]


def _apart(points: Sequence[CapacityPoint]) -> list[CapacityPoint]:
    """Those whose numbers can stand beside each other: an octave or nearly so apart."""
    kept: list[CapacityPoint] = []
    for point in points:
        if not kept or point.numbers >= 1.5 * kept[-1].numbers:
            kept.append(point)
    return kept


def _frame(sheet: Sheet, x: Axis, y: Axis, names: tuple[str, str], say: Words) -> None:
    for tick in x.ticks(6):
        sheet.line(x(tick), y.start, x(tick), y.end, "grid")
        sheet.text(x(tick), y.start + 15, say.tick(tick), "tick middle")
    _rows(sheet, x, y, say)
    _names(sheet, x, y, names, say)


def _rows(sheet: Sheet, x: Axis, y: Axis, say: Words) -> None:
    for tick in y.ticks(4):
        sheet.line(x.start, y(tick), x.end, y(tick), "grid")
        sheet.text(x.start - 6, y(tick) + 4, say.tick(tick), "tick end")


def _names(sheet: Sheet, x: Axis, y: Axis, names: tuple[str, str], say: Words) -> None:
    across, up = (say(name) for name in names)
    sheet.text((x.start + x.end) / 2, y.start + 33, across, "axis middle")
    sheet.text(12, (y.start + y.end) / 2, up, "axis middle", turned=True)
