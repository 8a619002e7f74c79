"""Reports that were written."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.tables import Report


def current_report(session: Session, study_key: int, specimen_key: int | None) -> Report | None:
    """The report in force of a specimen, or of the study as a whole."""
    return session.scalar(
        select(Report).where(Report.study_key == study_key, _subject(specimen_key), Report.current)
    )


def add_report(session: Session, values: dict[str, Any]) -> Report:
    """Add a report, and make it the one in force of its subject."""
    session.execute(
        update(Report)
        .where(
            Report.study_key == values["study_key"],
            _subject(values["specimen_key"]),
            Report.current,
        )
        .values(current=False)
    )
    report = Report(**values, current=True)
    session.add(report)
    session.flush()
    return report


def _subject(specimen_key: int | None) -> Any:
    if specimen_key is None:
        return Report.specimen_key.is_(None)
    return Report.specimen_key == specimen_key
