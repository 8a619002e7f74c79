"""Rows → what a report shows of a whole study."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cellcensus import __version__
from cellcensus.findings import Finding
from cellcensus.settings import Settings
from cellcensus.study import Role, Study
from db.findings import Quarantine
from db.tables import ModelVersion
from db.types import utc_now
from flows.contents import Subject, estimate, model_identity
from flows.examples import example_shelves
from flows.paths import specimen_report_name
from flows.plain import back
from flows.predict import SEEN_DONOR, SEEN_SPECIMEN
from flows.reference import reference_fraction, reference_per_ul
from flows.versions import released_report

if TYPE_CHECKING:
    from reports.content import (
        Estimate,
        Foresight,
        LearningPoint,
        Pair,
        Quarantined,
        SpecimenLine,
        StudyReport,
    )


def study_content(
    study: Study,
    subjects: Sequence[Subject],
    quarantined: Sequence[Quarantine],
    *,
    findings: Sequence[Finding],
    settings: Settings,
    reported: frozenset[str],
) -> StudyReport:
    """Everything shown about one study; ``reported`` specimens have a page of their own."""
    from reports.content import StudyReport

    aside = {found.specimen_id for found in quarantined}
    model = main_model(subjects)
    card = model.card if model else {}
    return StudyReport(
        study=study.name,
        classes=study.classes,
        generated_at=utc_now(),
        specimens=tuple(_line(s, aside, s.specimen.specimen_id in reported) for s in subjects),
        pairs=pairs_of(subjects, Role.MIXED),
        controls=pairs_of(subjects, Role.CONTROL),
        quarantined=tuple(_quarantined(q, subjects) for q in quarantined),
        learning=tuple(str(sentence) for sentence in card.get("limits", ())),
        learning_curve=learning_curve(card.get("learning_curve", ())),
        foresight=foresight(card),
        recoveries=recoveries(card),
        examples=example_shelves(card, subjects, settings.home.resolve()),
        findings=tuple(findings),
        method=_method(subjects),
        model=model_identity(model) if model else None,
        recipes={"train": model.model_id} if model else {},
        software_version=__version__,
        laboratory=settings.reports.laboratory,
    )


def main_model(subjects: Sequence[Subject]) -> ModelVersion | None:
    """The newest model among those that predicted."""
    models = [s.current.model for s in subjects if s.current is not None]
    return max(models, key=lambda model: model.key, default=None)


def _method(subjects: Sequence[Subject]) -> str:
    methods = [s.current.prediction.method for s in subjects if s.current is not None]
    return max(set(methods), key=methods.count) if methods else ""


def _line(subject: Subject, aside: set[str], has_page: bool) -> SpecimenLine:
    from reports.content import SpecimenLine

    specimen = subject.specimen
    return SpecimenLine(
        specimen.specimen_id,
        specimen.donor_id,
        specimen.role.value,
        _state(subject, aside),
        acquired_at=specimen.acquired_at,
        instrument_id=specimen.instrument_id,
        **_numbers(subject),
        link=specimen_report_name(specimen.specimen_id) if has_page else None,
    )


def _numbers(subject: Subject) -> dict[str, Any]:
    """Those of the released report, so that a study's page says what the specimen's page says."""
    if subject.released is not None:
        content = released_report(subject.released)
        return {
            "cells": content.cells,
            "total_per_ul": content.total_per_ul.value,
            "fractions": {row.cell_class: row.fraction.value for row in content.rows},
            "flags": content.flags,
        }
    if subject.current is None:
        return {"cells": subject.cell_file.n_cells if subject.cell_file else None}
    prediction = subject.current.prediction
    return {
        "cells": prediction.cells,
        "total_per_ul": back(prediction.total_per_ul),
        "fractions": {row.cell_class: back(row.fraction) for row in prediction.rows},
        "flags": tuple(prediction.flags),
    }


def _state(subject: Subject, aside: set[str]) -> str:
    if subject.specimen.specimen_id in aside:
        return "quarantined"
    if subject.current is not None:
        return "predicted"
    return "ingested" if subject.cell_file is not None else "waiting"


def pairs_of(subjects: Sequence[Subject], role: Role) -> tuple[Pair, ...]:
    """Predicted against reference, for specimens of a role whose donor the model had not seen."""
    from reports.content import Pair

    pairs = []
    for subject in subjects:
        specimen, current = subject.specimen, subject.current
        if specimen.role is not role or current is None or _was_seen(current.prediction):
            continue
        for row in current.prediction.rows:
            if row.cell_class not in subject.study.classes:
                continue
            reference = reference_fraction(specimen, row.cell_class, subject.study.classes)
            if math.isnan(reference):
                continue
            pairs.append(
                Pair(
                    specimen.specimen_id,
                    specimen.donor_id,
                    row.cell_class,
                    estimate(row, "fraction"),
                    reference,
                    estimate(row, "per_ul"),
                    reference_per_ul(specimen, row.cell_class),
                )
            )
    return tuple(pairs)


def _was_seen(prediction: Any) -> bool:
    """Whether the model knew the donor: then the agreement would say nothing."""
    return bool({SEEN_SPECIMEN, SEEN_DONOR} & set(prediction.flags))


def _quarantined(found: Quarantine, subjects: Sequence[Subject]) -> Quarantined:
    from reports.content import Quarantined

    recordings = {s.specimen.specimen_id: s.specimen.recording for s in subjects}
    return Quarantined(
        found.specimen_id,
        found.code,
        found.reason,
        found.next_step,
        recordings.get(found.specimen_id),
        found.since,
    )


def recoveries(card: Mapping[str, Any]) -> dict[str, Estimate]:
    """Recovery of each instrument with its limits; the empty name holds all together."""
    from reports.content import Estimate

    values, limits = card.get("recovery") or {}, card.get("recovery_limits") or {}
    return {
        "" if name == "all instruments" else name: Estimate(float(values[name]), *map(float, ends))
        for name, ends in limits.items()
        if name in values
    }


def foresight(card: Mapping[str, Any]) -> Foresight | None:
    """What a model card says of more donors, of size and of the methods; its errors are points."""
    from reports.content import CapacityPoint, CoursePoint, Foresight, MethodError

    plan = card.get("plan") or {}
    fit = plan.get("fit") or {}
    told = (card.get("held_out") or {}).get("methods_mean_and_worst_points") or {}
    if not plan and not told:
        return None
    chosen = card.get("method")
    return Foresight(
        int(plan.get("donors", 0)),
        float(fit.get("floor", math.nan)) / 100,
        float(fit.get("slope", math.nan)) / 100,
        tuple(CapacityPoint(int(d), b / 100, r / 100) for d, b, r in plan.get("capacity", ())),
        tuple(MethodError(m, e / 100, w / 100, m == chosen) for m, (e, w) in told.items()),
        tuple(CoursePoint(p["stage"], p["part"], p["error"]) for p in card.get("course", ())),
    )


def learning_curve(points: Any) -> tuple[LearningPoint, ...]:
    """The points of a model card's learning curve."""
    from reports.content import LearningPoint

    return tuple(
        LearningPoint(
            int(point["donors"]),
            float(point["error"]),
            back(point.get("low")),
            back(point.get("high")),
        )
        for point in points
    )
