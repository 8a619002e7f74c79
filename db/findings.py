"""Findings and quarantine: what is wrong now, and what was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from cellcensus import findings as words
from db import audit
from db.tables import Finding, Specimen
from db.types import utc_now

DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Why a specimen is set aside, and since when."""

    specimen_id: str
    code: str
    reason: str
    next_step: str
    recipe_id: str | None
    since: datetime


def reconcile(
    session: Session,
    found: Iterable[words.Finding],
    *,
    study_key: int,
    specimen_key: int | None,
    source: str,
    quarantines: bool = False,
    recipe_id: str | None = None,
    recording_key: int | None = None,
    run_key: int | None = None,
) -> None:
    """Make the open findings of one source about one subject equal to ``found``.

    Those found again stay as they are, new ones are added, those gone are cleared; nothing is
    deleted. With ``quarantines``, violations set the specimen aside.
    """
    standing = {_identity(row): row for row in _open(session, study_key, specimen_key, source)}
    before = _reasons(standing.values())
    now = []
    for finding in found:
        row = Finding(
            study_key=study_key,
            specimen_key=specimen_key,
            recording_key=recording_key,
            run_key=run_key,
            source=source,
            level=finding.level.value,
            code=finding.code,
            message=finding.message,
            action=finding.action,
            column=finding.column,
            recipe_id=recipe_id,
            quarantines=quarantines and finding.level is words.Level.VIOLATION,
        )
        now.append(row)
        if standing.pop(_identity(row), None) is None:
            session.add(row)
    for row in standing.values():
        row.cleared_at = utc_now()
    if specimen_key is not None:
        _record_quarantine(session, specimen_key, source, before, _reasons(now))


def _reasons(rows: Iterable[Finding]) -> list[dict[str, str]]:
    reasons = {(row.code, row.message) for row in rows if row.quarantines}
    return [{"code": code, "message": message} for code, message in sorted(reasons)]


def _record_quarantine(
    session: Session,
    specimen_key: int,
    source: str,
    before: list[dict[str, str]],
    after: list[dict[str, str]],
) -> None:
    if before == after:
        return
    if not after:
        action = "quarantine.cleared"
    else:
        action = "quarantine.changed" if before else "quarantine.set"
    audit.record(
        session,
        action=action,
        subject=audit.subject_of(session, specimen_key),
        before={"source": source, "reasons": before} if before else None,
        after={"source": source, "reasons": after} if after else None,
    )


def open_findings(
    session: Session, study_key: int, specimen_key: int | None = None
) -> list[words.Finding]:
    """What is wrong now with a specimen, or with the study as a whole, oldest first."""
    return [_in_words(row, None) for row in _open(session, study_key, specimen_key, None)]


def subjects_with_open_findings(session: Session, study_key: int, source: str) -> set[int | None]:
    """Keys of the specimens of a study that something is wrong with; ``None``: the study itself."""
    rows = session.scalars(
        select(Finding.specimen_key).where(
            Finding.study_key == study_key, Finding.source == source, Finding.cleared_at.is_(None)
        )
    )
    return set(rows)


def open_codes(session: Session, study_key: int, source: str) -> set[tuple[str, str]]:
    """Code and message of what one source finds wrong with a study as a whole now."""
    return {(row.code, row.message) for row in _open(session, study_key, None, source)}


def standing(session: Session, source: str) -> list[words.Finding]:
    """What one source finds wrong with studies as a whole now, oldest first."""
    rows = session.scalars(
        select(Finding)
        .where(
            Finding.source == source, Finding.specimen_key.is_(None), Finding.cleared_at.is_(None)
        )
        .order_by(Finding.key)
    )
    return [_in_words(row, None) for row in rows]


def open_findings_by_specimen(session: Session, study_key: int) -> dict[str, list[words.Finding]]:
    """``specimen_id`` → what is wrong with it now, oldest first."""
    rows = session.execute(
        select(Specimen.specimen_id, Finding)
        .join(Finding, Finding.specimen_key == Specimen.key)
        .where(Finding.study_key == study_key, Finding.cleared_at.is_(None))
        .order_by(Finding.key)
    )
    found: dict[str, list[words.Finding]] = {}
    for specimen_id, row in rows:
        found.setdefault(specimen_id, []).append(_in_words(row, specimen_id))
    return found


def quarantined(session: Session, study_key: int | None = None) -> list[Quarantine]:
    """Specimens set aside now, with the first reason of each, by specimen."""
    query = (
        select(Specimen.specimen_id, Finding)
        .join(Finding, Finding.specimen_key == Specimen.key)
        .where(Finding.quarantines, Finding.cleared_at.is_(None))
        .order_by(Specimen.key, Finding.key.desc())
    )
    if study_key is not None:
        query = query.where(Specimen.study_key == study_key)
    first = {
        finding.specimen_key: _quarantine(specimen_id, finding)
        for specimen_id, finding in session.execute(query)
    }
    return list(first.values())


def quarantine_of(session: Session, specimen_key: int) -> Quarantine | None:
    """Why one specimen is set aside, if it is."""
    row = session.execute(
        select(Specimen.specimen_id, Finding)
        .join(Finding, Finding.specimen_key == Specimen.key)
        .where(Specimen.key == specimen_key, Finding.quarantines, Finding.cleared_at.is_(None))
        .order_by(Finding.key)
        .limit(1)
    ).first()
    return None if row is None else _quarantine(*row)


def clear_quarantine(session: Session, specimen_key: int) -> None:
    """No finding sets the specimen aside any more; what is still wrong will be found again."""
    session.execute(
        update(Finding)
        .where(
            Finding.specimen_key == specimen_key, Finding.quarantines, Finding.cleared_at.is_(None)
        )
        .values(cleared_at=utc_now())
    )


def is_discarded(session: Session, specimen_key: int) -> bool:
    """Whether a person set the specimen aside for good."""
    return specimen_key in _discarded(session, Finding.specimen_key == specimen_key)


def discarded(session: Session, study_key: int) -> set[int]:
    """Keys of a study's specimens that a person set aside for good."""
    return _discarded(session, Finding.study_key == study_key)


def _discarded(session: Session, narrowed: ColumnElement[bool]) -> set[int]:
    found = session.scalars(
        select(Finding.specimen_key).where(
            narrowed,
            Finding.code == DISCARDED,
            Finding.quarantines,
            Finding.cleared_at.is_(None),
            Finding.specimen_key.is_not(None),
        )
    )
    return {key for key in found if key is not None}


def _quarantine(specimen_id: str, finding: Finding) -> Quarantine:
    return Quarantine(
        specimen_id,
        finding.code,
        finding.message,
        finding.action,
        finding.recipe_id,
        finding.found_at,
    )


def _open(
    session: Session, study_key: int, specimen_key: int | None, source: str | None
) -> Sequence[Finding]:
    query = select(Finding).where(
        Finding.study_key == study_key,
        Finding.specimen_key == specimen_key
        if specimen_key is not None
        else Finding.specimen_key.is_(None),
        Finding.cleared_at.is_(None),
    )
    if source is not None:
        query = query.where(Finding.source == source)
    return session.scalars(query.order_by(Finding.key)).all()


def _in_words(row: Finding, specimen_id: str | None) -> words.Finding:
    level = words.Level(row.level)
    return words.Finding(level, row.code, row.message, row.action, specimen_id, row.column)


def _identity(row: Finding) -> tuple[str, str, str | None, str | None, bool]:
    return (row.code, row.message, row.column, row.recipe_id, bool(row.quarantines))
