"""Studies and specimens: the sheet as it is now, with what it was before kept beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cellcensus import study as words
from cellcensus.errors import UsageError
from cellcensus.recipe import canonical_json
from db.tables import ReferenceCount, Specimen, SpecimenRevision, Study, StudyRevision


def record_study(session: Session, study: words.Study) -> int:
    """Write down a study as it is now; new revisions only of what changed.

    A specimen that the sheet no longer has gets a revision that says so and keeps its results.

    Returns
    -------
    int
        The study's key.
    """
    key = _study_key(session, study.name)
    _record_description(session, key, study)
    known = specimen_keys(session, key)
    latest = _latest_by_specimen(session, key)
    for specimen in study.specimens:
        specimen_key = known.get(specimen.specimen_id)
        if specimen_key is None:
            specimen_key = add_specimen(session, key, specimen.specimen_id)
        _revise(session, specimen_key, specimen, latest.get(specimen_key))
    present = {specimen.specimen_id for specimen in study.specimens}
    for specimen_id in known.keys() - present:
        _withdraw(session, latest.get(known[specimen_id]))
    session.flush()
    return key


def find_study(session: Session, name: str) -> Study:
    """The study of that name.

    Raises
    ------
    UsageError
        There is none.
    """
    study = session.scalar(select(Study).where(Study.name == name))
    if study is None:
        names = ", ".join(study_names(session)) or "none yet"
        raise UsageError(
            f"there is no study called {name!r} in this home",
            next_step=f"known studies: {names}; `cellcensus ingest STUDY` adds one",
        )
    return study


def study_names(session: Session) -> list[str]:
    """Names of all studies, in order."""
    return list(session.scalars(select(Study.name).order_by(Study.name)))


def load_study(session: Session, name: str, specimen_id: str | None = None) -> words.Study:
    """The study as last recorded, with the specimens its sheet lists, in the sheet's order.

    ``specimen_id`` narrows them to one, or to none where the sheet does not list it.

    Raises
    ------
    UsageError
        There is none of that name.
    """
    key = find_study(session, name).key
    described = latest_description(session, key)
    query = (
        select(Specimen.specimen_id, SpecimenRevision)
        .join(SpecimenRevision, SpecimenRevision.specimen_key == Specimen.key)
        .where(Specimen.study_key == key, SpecimenRevision.latest, SpecimenRevision.listed)
        .order_by(Specimen.key)
    )
    if specimen_id is not None:
        query = query.where(Specimen.specimen_id == specimen_id)
    rows = session.execute(query)
    hints = dict(described.cells)
    diameter, polarity = hints.get("diameter_um"), hints.get("polarity")
    return words.Study(
        folder=Path(described.folder),
        name=name,
        classes=tuple(described.classes),
        acquisition=words.Acquisition(
            **{**described.acquisition, "mode": words.Mode(described.acquisition["mode"])}
        ),
        cells=words.CellHints(
            diameter_um=tuple(diameter) if diameter else None,
            polarity=words.Polarity(polarity) if polarity else None,
        ),
        specimens=tuple(as_specimen(specimen_id, revision) for specimen_id, revision in rows),
    )


def latest_description(session: Session, study_key: int) -> StudyRevision:
    """``study.yaml`` as last recorded."""
    return session.scalars(
        select(StudyRevision)
        .where(StudyRevision.study_key == study_key)
        .order_by(StudyRevision.number.desc())
        .limit(1)
    ).one()


def specimen_keys(session: Session, study_key: int) -> dict[str, int]:
    """``specimen_id`` → key, of every specimen the study ever had."""
    rows = session.execute(
        select(Specimen.specimen_id, Specimen.key).where(Specimen.study_key == study_key)
    )
    return dict(rows.tuples().all())


def add_specimen(session: Session, study_key: int, specimen_id: str) -> int:
    """Give a specimen its identity; its key."""
    specimen = Specimen(study_key=study_key, specimen_id=specimen_id)
    session.add(specimen)
    session.flush()
    return specimen.key


def as_specimen(specimen_id: str, revision: SpecimenRevision) -> words.Specimen:
    """A stored row of the sheet in the words of the domain."""
    counts = revision.counts
    return words.Specimen(
        specimen_id=specimen_id,
        donor_id=revision.donor_id,
        role=words.Role(revision.role),
        recording=revision.recording,
        cell_class=revision.cell_class,
        purity=revision.purity,
        imaged_volume_ul=revision.imaged_volume_ul,
        dilution=revision.dilution,
        acquired_at=revision.acquired_at,
        instrument_id=revision.instrument_id,
        wbc_per_ul=revision.wbc_per_ul,
        per_ul={c.cell_class: c.per_ul for c in counts if c.per_ul is not None},
        percent={c.cell_class: c.percent for c in counts if c.percent is not None},
        cv={c.cell_class: c.cv for c in counts if c.cv is not None},
    )


def _study_key(session: Session, name: str) -> int:
    key = session.scalar(select(Study.key).where(Study.name == name))
    if key is not None:
        return key
    study = Study(name=name)
    session.add(study)
    session.flush()
    return study.key


def _record_description(session: Session, study_key: int, study: words.Study) -> None:
    described = {
        "folder": str(study.folder.resolve()),
        "classes": list(study.classes),
        "acquisition": asdict(study.acquisition),
        "cells": _hints(study.cells),
    }
    number = session.scalar(
        select(func.max(StudyRevision.number)).where(StudyRevision.study_key == study_key)
    )
    if number is not None:
        latest = latest_description(session, study_key)
        if all(getattr(latest, name) == value for name, value in described.items()):
            return
    session.add(StudyRevision(study_key=study_key, number=(number or 0) + 1, **described))


def _hints(cells: words.CellHints) -> dict[str, Any]:
    return {
        "diameter_um": list(cells.diameter_um) if cells.diameter_um else None,
        "polarity": cells.polarity.value if cells.polarity else None,
    }


def _latest_by_specimen(session: Session, study_key: int) -> dict[int, SpecimenRevision]:
    rows = session.scalars(
        select(SpecimenRevision)
        .join(Specimen, Specimen.key == SpecimenRevision.specimen_key)
        .where(Specimen.study_key == study_key, SpecimenRevision.latest)
    )
    return {row.specimen_key: row for row in rows}


def _revise(
    session: Session, specimen_key: int, specimen: words.Specimen, latest: SpecimenRevision | None
) -> None:
    digest = _digest(specimen)
    if latest is not None:
        if latest.digest == digest and latest.listed:
            return
        latest.latest = False
        session.flush()
    session.add(
        SpecimenRevision(
            specimen_key=specimen_key,
            number=1 if latest is None else latest.number + 1,
            latest=True,
            listed=True,
            digest=digest,
            donor_id=specimen.donor_id,
            role=specimen.role.value,
            cell_class=specimen.cell_class,
            purity=specimen.purity,
            recording=specimen.recording,
            imaged_volume_ul=specimen.imaged_volume_ul,
            dilution=specimen.dilution,
            acquired_at=_in_utc(specimen.acquired_at),
            instrument_id=specimen.instrument_id,
            wbc_per_ul=specimen.wbc_per_ul,
            counts=list(_counts(specimen)),
        )
    )


def _withdraw(session: Session, latest: SpecimenRevision | None) -> None:
    if latest is None or not latest.listed:
        return
    latest.latest = False
    session.flush()
    kept = {
        column.key: getattr(latest, column.key)
        for column in SpecimenRevision.__table__.columns
        if column.key not in ("key", "number", "latest", "listed", "seen_at")
    }
    session.add(SpecimenRevision(number=latest.number + 1, latest=True, listed=False, **kept))


def _counts(specimen: words.Specimen) -> Iterable[ReferenceCount]:
    classes = sorted({*specimen.per_ul, *specimen.percent, *specimen.cv})
    for cell_class in classes:
        yield ReferenceCount(
            cell_class=cell_class,
            per_ul=specimen.per_ul.get(cell_class),
            percent=specimen.percent.get(cell_class),
            cv=specimen.cv.get(cell_class),
        )


def _digest(specimen: words.Specimen) -> str:
    values = {
        **asdict(specimen),
        "acquired_at": specimen.acquired_at.isoformat() if specimen.acquired_at else None,
    }
    return sha256(canonical_json(values).encode()).hexdigest()


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
