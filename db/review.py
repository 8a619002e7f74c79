"""What people decided about a result: read and appended, never altered.

Every change first locks the specimen's ``review`` row, so that changes of one specimen follow each
other on either database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db.tables import Account, CellCorrection, ReportVersion, Review, ReviewNote, Specimen, Study
from db.types import utc_now

RELEASED = ("final", "corrected")


@dataclass(frozen=True, slots=True)
class Note:
    """One step of a review, with the name of who made it."""

    kind: str
    subject: str
    text: str
    prediction_key: int | None
    by: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Batch:
    """Cells that one person reclassified in one step: ``cell_id`` → class before."""

    after: Mapping[int, str]
    before: Mapping[int, str]
    made_at: datetime


def find_specimen(session: Session, study: str, specimen_id: str) -> Specimen | None:
    """A specimen by the names people use."""
    return session.scalar(
        select(Specimen)
        .join(Study, Study.key == Specimen.study_key)
        .where(Study.name == study, Specimen.specimen_id == specimen_id)
    )


def read_version(session: Session, specimen_key: int, number: int) -> ReportVersion | None:
    """One signed version of a specimen's report."""
    return session.scalar(
        select(ReportVersion).where(
            ReportVersion.specimen_key == specimen_key, ReportVersion.version == number
        )
    )


def read_review(session: Session, specimen_key: int) -> Review:
    """How far the review of a specimen is; one that nobody touched is at version 0."""
    found = session.get(Review, specimen_key)
    return found or Review(
        specimen_key=specimen_key,
        version=0,
        on_hold=False,
        signed_state="open",
        prediction_key=None,
    )


def lock_review(session: Session, specimen_key: int) -> Review:
    """The same, held against every other change until the unit of work ends."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    first = {"version": 0, "changed_at": utc_now(), "on_hold": False, "signed_state": "open"}
    # Two people may be the first at the same time: the row must be there before it can be held.
    session.execute(
        dialect.insert(Review)
        .values(specimen_key=specimen_key, **first)
        .on_conflict_do_nothing(index_elements=[Review.specimen_key])
    )
    return session.scalars(
        select(Review)
        .where(Review.specimen_key == specimen_key)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def raise_version(review: Review, account_key: int) -> int:
    """Count one more change, and whose it was; the new version."""
    review.version += 1
    review.changed_by, review.changed_at = account_key, utc_now()
    return review.version


def account_name(session: Session, account_key: int | None) -> str:
    """Full name of an account, as it is shown to others."""
    found = session.get(Account, account_key) if account_key is not None else None
    return found.full_name if found else "somebody"


def corrections(session: Session, prediction_key: int) -> dict[int, str]:
    """``cell_id`` → the class a person gave it last, of every cell that was ever corrected."""
    rows = session.execute(
        select(CellCorrection.cell_id, CellCorrection.after)
        .where(CellCorrection.prediction_key == prediction_key)
        .order_by(CellCorrection.key)
    )
    return dict(rows.tuples().all())


def add_corrections(
    session: Session,
    prediction_key: int,
    before: Mapping[int, str],
    after: Mapping[int, str],
    account_key: int,
) -> None:
    """Add one step of reclassification: ``cell_id`` → class before, and after."""
    moment = utc_now()
    session.add_all(
        CellCorrection(
            prediction_key=prediction_key,
            cell_id=cell_id,
            before=before[cell_id],
            after=name,
            account_key=account_key,
            made_at=moment,
        )
        for cell_id, name in after.items()
    )
    session.flush()


def moves(session: Session, prediction_key: int) -> list[Note]:
    """Every step of reclassification of a prediction as a note, oldest first."""
    rows = session.execute(
        select(CellCorrection.made_at, Account.full_name, CellCorrection.after, func.count())
        .join(Account, Account.key == CellCorrection.account_key)
        .where(CellCorrection.prediction_key == prediction_key)
        .group_by(CellCorrection.made_at, Account.full_name, CellCorrection.after)
        .order_by(CellCorrection.made_at, CellCorrection.after)
    )
    return [
        Note("moved", after, str(number), prediction_key, by, moment)
        for moment, by, after, number in rows
    ]


def last_batch(session: Session, prediction_key: int) -> Batch | None:
    """The newest step of reclassification of a prediction."""
    mine = CellCorrection.prediction_key == prediction_key
    newest = select(func.max(CellCorrection.key)).where(mine).scalar_subquery()
    moment = session.scalar(select(CellCorrection.made_at).where(CellCorrection.key == newest))
    if moment is None:
        return None
    rows = session.scalars(select(CellCorrection).where(mine, CellCorrection.made_at == moment))
    found = rows.all()
    return Batch(
        {row.cell_id: row.after for row in found},
        {row.cell_id: row.before for row in found},
        moment,
    )


def last_moved_to(session: Session, prediction_key: int, name: str) -> int:
    """Key of the newest correction that put a cell into the class ``name``; 0 if none did."""
    return (
        session.scalar(
            select(func.max(CellCorrection.key)).where(
                CellCorrection.prediction_key == prediction_key, CellCorrection.after == name
            )
        )
        or 0
    )


def notes(session: Session, specimen_key: int) -> list[Note]:
    """Every step of a specimen's review, oldest first."""
    rows = session.execute(
        select(ReviewNote, Account.full_name)
        .join(Account, Account.key == ReviewNote.account_key)
        .where(ReviewNote.specimen_key == specimen_key)
        .order_by(ReviewNote.key)
    )
    return [
        Note(row.kind, row.subject, row.text, row.prediction_key, name, row.made_at)
        for row, name in rows
    ]


def add_note(
    session: Session,
    specimen_key: int,
    kind: str,
    account_key: int,
    *,
    subject: str = "",
    text: str = "",
    prediction_key: int | None = None,
) -> None:
    """Add one step of a review."""
    session.add(
        ReviewNote(
            specimen_key=specimen_key,
            kind=kind,
            account_key=account_key,
            subject=subject,
            text=text,
            prediction_key=prediction_key,
        )
    )
    session.flush()


def versions(session: Session, specimen_key: int) -> Sequence[ReportVersion]:
    """Every signed version of a specimen's report, oldest first."""
    return session.scalars(
        select(ReportVersion)
        .where(ReportVersion.specimen_key == specimen_key)
        .order_by(ReportVersion.version)
    ).all()


def kept_pictures(session: Session, version_key: int) -> Mapping[str, Any]:
    """The pictures of a signed report; empty if there are none."""
    found = session.scalar(select(ReportVersion.pictures).where(ReportVersion.key == version_key))
    return found or {}


def released_versions(session: Session, study_key: int) -> dict[str, ReportVersion]:
    """``specimen_id`` → the released version in force, of every specimen that has one."""
    rows = session.execute(
        select(Specimen.specimen_id, ReportVersion)
        .join(ReportVersion, ReportVersion.specimen_key == Specimen.key)
        .where(Specimen.study_key == study_key, ReportVersion.state.in_(RELEASED))
        .order_by(ReportVersion.version)
    )
    return dict(rows.tuples().all())
