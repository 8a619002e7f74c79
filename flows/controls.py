"""Control charts of one instrument: controls, patients' averages, recordings, look of the cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from math import expm1, isfinite, nan
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from db import controls
from db.controls import Acquired
from db.studies import as_specimen
from flows.plain import back
from flows.reference import reference_fraction

if TYPE_CHECKING:
    from markupsafe import Markup

    from reports.charts.control import Mark
    from reports.control import Target, Verdict

QUALITY = (
    *("focus_median", "cell_contrast", "background_level", "noise", "background_drift"),
    *("share_touching", "diameter_um_50", "flow_speed_um_s"),
)
"""Figures of a recording that are charted, as the glossary names them."""

LOOK = {
    "drift": ("Look of the cells against the training donors", "SD"),
    "unclassified_unusual": ("Cells unlike any learned, above what is usual", "SD"),
    "log_contrast_effect": ("Contrast common to the cells", "%"),
    "log_size_effect": ("Size common to the cells", "%"),
}
"""Figures of a prediction that tell how the cells look to the model, whatever their classes are."""

FIRST, LATEST = 40, 260
_HALF_WIDTHS = 3.92  # a 95 % interval is so many standard deviations wide


@dataclass(frozen=True, slots=True)
class Broken:
    """A value that breaks a rule: where, and which."""

    study: str
    specimen_id: str
    when: datetime
    value: float
    z: float
    rules: tuple[str, ...]
    rejected: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart, drawn; ``target`` is ``None`` where there are too few values to judge."""

    code: str
    title: str
    unit: str
    n: int
    target: Target | None
    picture: Markup | None
    broken: tuple[Broken, ...] = ()
    latest_is_out: bool = False

    @property
    def out(self) -> int:
        """How many values break a rule that rejects."""
        return sum(found.rejected for found in self.broken)


@dataclass(frozen=True, slots=True)
class Series:
    """Values in the order of acquisition, and the specimens they belong to."""

    code: str
    title: str
    unit: str
    of: list[Acquired] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    claimed_sd: list[float] = field(default_factory=list)

    def add(self, acquired: Acquired, value: float, sd: float = nan) -> None:
        """Append one value if it can be said."""
        if isfinite(value):
            self.of.append(acquired)
            self.values.append(value)
            self.claimed_sd.append(sd)


@dataclass(frozen=True, slots=True)
class Charts:
    """Everything charted of one instrument."""

    instrument: str
    controls: list[Chart]
    patients: list[Chart]
    quality: list[Chart]
    look: list[Chart]


def charts_of(session: Session, instrument: str, since: date | None = None) -> Charts:
    """Draw every chart of an instrument; :data:`db.controls.UNNAMED` stands for none named.

    With ``since``, what was acquired before that day (in UTC) is neither shown nor in the target.
    """
    moment = datetime(since.year, since.month, since.day, tzinfo=UTC) if since else None

    def acquired(*roles: str) -> list[Acquired]:
        return controls.acquisitions(
            session, instrument, roles=roles, since=moment, first=FIRST, latest=LATEST
        )

    controlled, patients = acquired("control"), acquired("unknown", "mixed")
    filmed = acquired("unknown", "mixed", "control")
    keys = {a.study_key for a in (*controlled, *patients)}
    classes = controls.classes_of(session, sorted(keys))
    return Charts(
        instrument,
        [_of_control(series) for series in _differences(controlled, classes)],
        [_of_patients(series) for series in _fractions(patients)],
        [_of_quality(series) for series in _figures(filmed)],
        [_of_quality(series) for series in _looks(filmed)],
    )


def _differences(acquired: Sequence[Acquired], classes: dict[int, list[str]]) -> list[Series]:
    """Predicted − known share, in points, by class: controls of any composition on one chart."""
    series: dict[str, Series] = {}
    for one in acquired:
        specimen = as_specimen(one.specimen_id, one.sheet)
        for row in one.prediction.rows if one.prediction else ():
            if row.cell_class not in classes[one.study_key]:
                continue
            known = reference_fraction(specimen, row.cell_class, classes[one.study_key])
            name = row.cell_class
            found = series.setdefault(name, Series(f"control-{name}", name, "points"))
            width = back(row.fraction_high) - back(row.fraction_low)
            found.add(one, 100 * (back(row.fraction) - known), 100 * width / _HALF_WIDTHS)
    return list(series.values())


def _fractions(acquired: Sequence[Acquired]) -> list[Series]:
    series: dict[str, Series] = {}
    for one in acquired:
        for row in one.prediction.rows if one.prediction else ():
            name = row.cell_class
            found = series.setdefault(name, Series(f"patients-{name}", name, "%"))
            found.add(one, 100 * back(row.fraction))
    return list(series.values())


def _figures(acquired: Sequence[Acquired]) -> list[Series]:
    from reports.glossary import quality_in_words

    found = []
    for code in QUALITY:
        name = quality_in_words(code)
        series = Series(f"quality-{code}", name.title, "%" if name.share else name.unit)
        scale = 100.0 if name.share else 1.0
        for one in acquired:
            value = one.cell_file.quality.get(code)
            if isinstance(value, int | float):
                series.add(one, scale * float(value))
        if series.values:
            found.append(series)
    return found


def _looks(acquired: Sequence[Acquired]) -> list[Series]:
    """Of one model, the one that looked last: another sees with other eyes."""
    seen = [(one, one.prediction) for one in acquired if one.prediction]
    found = []
    for code, (title, unit) in LOOK.items():
        series = Series(f"look-{code}", title, unit)
        for one, prediction in seen:
            value = prediction.details.get(code)
            if prediction.model_key == seen[-1][1].model_key and value:  # 0: it cannot be said
                series.add(one, 100 * expm1(value) if unit == "%" else value)
        if series.values:
            found.append(series)
    return found


def _of_control(series: Series) -> Chart:
    from reports.control import known_value

    return _judged(series, known_value(series.values, 0.0, series.claimed_sd))


def _of_quality(series: Series) -> Chart:
    from reports.control import first_values

    return _judged(series, first_values(series.values))


def _judged(series: Series, target: Target | None) -> Chart:
    from reports.charts.control import levey_jennings
    from reports.control import distances, westgard

    if target is None or target.sd <= 0:
        return _undrawn(series)
    verdicts = westgard(distances(series.values, target))
    picture = levey_jennings(series.title, _marks(series), verdicts, target)
    broken = tuple(
        _broken(one, value, verdict)
        for one, value, verdict in zip(series.of, series.values, verdicts, strict=True)
        if verdict.rules
    )
    return Chart(
        series.code,
        series.title,
        series.unit,
        len(series.values),
        target,
        picture,
        broken,
        verdicts[-1].rejected,
    )


def _of_patients(series: Series) -> Chart:
    from reports.charts.control import moving_average_chart
    from reports.control import first_values, moving_average

    target = first_values(series.values)
    if target is None or target.sd <= 0:
        return _undrawn(series)
    moving = moving_average(series.values, target)
    picture = moving_average_chart(series.title, _marks(series), moving, target)
    beyond = tuple(
        Broken(
            one.study,
            one.specimen_id,
            one.when,
            point.average,
            (point.average - target.mean) / target.sd,
            (),
            rejected=True,
        )
        for one, point in zip(series.of, moving, strict=True)
        if point.out
    )
    return Chart(
        series.code,
        series.title,
        series.unit,
        len(series.values),
        target,
        picture,
        beyond,
        moving[-1].out,
    )


def _undrawn(series: Series) -> Chart:
    return Chart(series.code, series.title, series.unit, len(series.values), None, None)


def _marks(series: Series) -> list[Mark]:
    from reports.charts.control import Mark

    return [
        Mark(one.specimen_id, one.when, value)
        for one, value in zip(series.of, series.values, strict=True)
    ]


def _broken(one: Acquired, value: float, verdict: Verdict) -> Broken:
    return Broken(
        one.study,
        one.specimen_id,
        one.when,
        value,
        verdict.z,
        verdict.rules,
        verdict.rejected,
    )
