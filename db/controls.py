"""What an instrument acquired over time, with the figures that a control chart shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select, true
from sqlalchemy.orm import Session

from db.tables import (
    CellFile,
    ModelVersion,
    Prediction,
    Specimen,
    SpecimenRevision,
    Study,
    StudyRevision,
)

UNNAMED = ""
"""Stands for acquisitions whose sheet names no instrument."""


@dataclass(frozen=True, slots=True)
class Acquired:
    """One specimen as it was acquired; without a prediction where none is in force."""

    study: str
    study_key: int
    specimen_id: str
    sheet: SpecimenRevision
    cell_file: CellFile
    prediction: Prediction | None

    @property
    def when(self) -> datetime:
        """Time of acquisition; where the sheet has none, when its cells were found."""
        return self.sheet.acquired_at or self.cell_file.created_at


def instruments(session: Session) -> list[tuple[str, int]]:
    """Every instrument with the number of its specimens, the busiest first."""
    name = func.coalesce(SpecimenRevision.instrument_id, UNNAMED)
    rows = session.execute(
        select(name, func.count())
        .where(SpecimenRevision.latest, SpecimenRevision.listed)
        .group_by(name)
        .order_by(func.count().desc(), name)
    )
    return [(instrument, count) for instrument, count in rows]


def instruments_of(session: Session, study_key: int) -> list[str]:
    """The instruments of the specimens that a study lists, by name."""
    name = func.coalesce(SpecimenRevision.instrument_id, UNNAMED)
    rows = session.scalars(
        select(name)
        .join(Specimen, Specimen.key == SpecimenRevision.specimen_key)
        .where(Specimen.study_key == study_key, SpecimenRevision.latest, SpecimenRevision.listed)
        .distinct()
        .order_by(name)
    )
    return list(rows)


def acquisitions(
    session: Session,
    instrument: str,
    *,
    roles: Sequence[str],
    first: int,
    latest: int,
    since: datetime | None = None,
) -> list[Acquired]:
    """The first and the latest acquisitions of an instrument, oldest first.

    The first ones make the target of a chart; those between are left out where there are many,
    and what was acquired before ``since``.
    """
    moment = func.coalesce(SpecimenRevision.acquired_at, CellFile.created_at)
    query = _query(instrument, roles).where(moment >= since if since else true())
    rows = {
        row[3].key: row
        for half in (
            query.order_by(moment, Specimen.key).limit(first),
            query.order_by(moment.desc(), Specimen.key.desc()).limit(latest),
        )
        for row in session.execute(half).all()
    }
    predictions = _in_force(session, list(rows))
    found = [
        Acquired(study.name, study.key, specimen.specimen_id, sheet, cells, predictions.get(key))
        for key, (study, sheet, cells, specimen) in rows.items()
    ]
    return sorted(found, key=lambda acquired: (acquired.when, acquired.cell_file.key))


def classes_of(session: Session, study_keys: Sequence[int]) -> dict[int, list[str]]:
    """Study key → its classes as last described."""
    rows = session.execute(
        select(StudyRevision.study_key, StudyRevision.classes)
        .where(StudyRevision.study_key.in_(study_keys))
        .order_by(StudyRevision.number)
    )
    return dict(rows.tuples().all())


def _query(
    instrument: str, roles: Sequence[str]
) -> Select[tuple[Study, SpecimenRevision, CellFile, Specimen]]:
    named = SpecimenRevision.instrument_id
    return (
        select(Study, SpecimenRevision, CellFile, Specimen)
        .join(Specimen, Specimen.study_key == Study.key)
        .join(SpecimenRevision, SpecimenRevision.specimen_key == Specimen.key)
        .join(CellFile, CellFile.specimen_key == Specimen.key)
        .where(
            SpecimenRevision.latest,
            SpecimenRevision.listed,
            CellFile.current,
            SpecimenRevision.role.in_(roles),
            named.is_(None) if instrument == UNNAMED else named == instrument,
        )
    )


def _in_force(session: Session, specimen_keys: Sequence[int]) -> dict[int, Prediction]:
    # The champion's comes last, so that it stands where both have predicted.
    rows = session.scalars(
        select(Prediction)
        .join(ModelVersion, ModelVersion.key == Prediction.model_key)
        .where(
            Prediction.specimen_key.in_(specimen_keys),
            Prediction.current,
            ModelVersion.state.in_(("champion", "retired")),
        )
        .order_by(ModelVersion.state == "champion", Prediction.key)
    )
    return {row.specimen_key: row for row in rows}
