"""Control charts as pictures: distance from the target in SD, in the order of acquisition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite

from markupsafe import Markup

from reports.charts.svg import Axis, Sheet
from reports.control import RULES, Moving, Target, Verdict
from reports.numbers import significant

WIDTH, HEIGHT = 500, 218
LEFT, RIGHT, TOP, BOTTOM = 54, 440, 10, 176
REACH = 4.0  # SD; values beyond are drawn at the edge
_DATES = 4
#: Room for a date, in the units of the chart, where letters are largest: on a phone.
_DATE_WIDTH = 96
_ROOMY = 70  # with more values their signs are smaller


@dataclass(frozen=True, slots=True)
class Mark:
    """One value of a control chart; ``name`` is its specimen."""

    name: str
    when: datetime | None
    value: float


def levey_jennings(
    title: str, marks: Sequence[Mark], verdicts: Sequence[Verdict], target: Target
) -> Markup:
    """Values with lines at the mean and at 1, 2 and 3 SD; broken rules have a shape of their own.

    A triangle only warns, a square breaks a rule that rejects; a dot is in control.
    """
    rejected = sum(verdict.rejected for verdict in verdicts)
    words = (
        f"{title}: {len(marks)} values in the order of acquisition, mean "
        f"{significant(target.mean)}, SD {significant(target.sd)}; {rejected} break a rule"
    )
    sheet, x, y = _sheet(words, len(marks))
    _grid(sheet, y, target)
    _dates(sheet, x, [mark.when for mark in marks])
    size = 1.0 if len(marks) <= _ROOMY else 0.7
    drawn = [(i, v.z) for i, v in enumerate(verdicts) if isfinite(v.z)]
    sheet.path([(x(i), y(z)) for i, z in drawn], "run")
    for i, z in drawn:
        _mark(sheet, (x(i), y(z)), verdicts[i], _words(marks[i], verdicts[i]), size)
    return sheet.markup()


def moving_average_chart(
    title: str, marks: Sequence[Mark], moving: Sequence[Moving], target: Target
) -> Markup:
    """Patients' values as pale dots, their moving average as a line between its limits."""
    out = sum(point.out for point in moving)
    words = (
        f"{title}: moving average of {len(marks)} specimens, target {significant(target.mean)}; "
        f"{out} beyond the limits"
    )
    sheet, x, y = _sheet(words, len(marks))
    _grid(sheet, y, target)
    _dates(sheet, x, [mark.when for mark in marks])

    def z(value: float) -> float:
        return y((value - target.mean) / target.sd)

    for i, mark in enumerate(marks):
        if isfinite(mark.value):
            sheet.dot(x(i), z(mark.value), 2.6, "point pale", _value_words(mark))
    for side in ("low", "high"):
        sheet.path([(x(i), z(getattr(m, side))) for i, m in enumerate(moving)], "loa line")
    sheet.path([(x(i), z(m.average)) for i, m in enumerate(moving)], "trend")
    for i, point in enumerate(moving):
        if point.out:
            _square(sheet, x(i), z(point.average), f"{marks[i].name}: average beyond its limit")
    return sheet.markup()


def _sheet(words: str, count: int) -> tuple[Sheet, Axis, Axis]:
    sheet = Sheet(WIDTH, HEIGHT, words, "chart control wide")
    last = max(count - 1, 1)
    return sheet, Axis(0, last, LEFT + 10, RIGHT - 10), Axis(-REACH, REACH, BOTTOM, TOP)


def _grid(sheet: Sheet, y: Axis, target: Target) -> None:
    sheet.box(LEFT, y(2), RIGHT - LEFT, y(-2) - y(2), "within")
    for sd in range(-3, 4):
        kind = {0: "mean", 2: "warn", 3: "stop"}.get(abs(sd), "grid")
        sheet.line(LEFT, y(sd), RIGHT, y(sd), kind)
        if kind == "grid":
            continue
        name = "mean" if sd == 0 else f"{'+' if sd > 0 else '−'}{abs(sd)} SD"
        sheet.text(LEFT - 6, y(sd) + 4, name, "tick end")
        sheet.text(RIGHT + 6, y(sd) + 4, significant(target.mean + sd * target.sd), "tick start")


def _dates(sheet: Sheet, x: Axis, moments: Sequence[datetime | None]) -> None:
    count = len(moments)
    said, free = "", 0.0
    for i in sorted({round(k * (count - 1) / (_DATES - 1)) for k in range(_DATES)}):
        moment = moments[i]
        words = f"{moment:%Y-%m-%d}" if moment is not None else ""
        place = "start" if i == 0 else "end" if i == count - 1 else "middle"
        begin = x(i) - _DATE_WIDTH * {"start": 0, "middle": 0.5, "end": 1}[place]
        if words != said and begin >= free:  # a day is named once, and only where there is room
            sheet.text(x(i), BOTTOM + 17, words, f"tick {place}")
            free = begin + _DATE_WIDTH
        said = words
    sheet.text((LEFT + RIGHT) / 2, BOTTOM + 35, "in the order of acquisition", "axis middle")


def _mark(sheet: Sheet, at: tuple[float, float], verdict: Verdict, words: str, size: float) -> None:
    x, y = at
    if verdict.rejected:
        _square(sheet, x, y, words, size)
    elif verdict.rules:
        a, b = 6 * size, 4 * size
        sheet.shape([(x, y - a), (x + a, y + b), (x - a, y + b)], "point warned")
        sheet.dot(x, y, 6, "hit", words)
    else:
        sheet.dot(x, y, 3.2 * size, "point soft", words)


def _square(sheet: Sheet, x: float, y: float, words: str, size: float = 1.0) -> None:
    a = 4.5 * size
    corners = [(x - a, y - a), (x + a, y - a), (x + a, y + a), (x - a, y + a)]
    sheet.shape(corners, "point high")
    sheet.dot(x, y, 6, "hit", words)


def _words(mark: Mark, verdict: Verdict) -> str:
    broken = "; ".join(f"{code}, {RULES[code].title}" for code in verdict.rules)
    return f"{_value_words(mark)}{': ' + broken if broken else ''}"


def _value_words(mark: Mark) -> str:
    when = f" on {mark.when:%Y-%m-%d}" if mark.when else ""
    return f"{mark.name}{when}, {significant(mark.value)}"
