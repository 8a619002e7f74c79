"""Long work asked for from a page: queued, taken under a lease, followed and ended.

A job belongs to the process that holds its lease. Whoever dies stops renewing it, and the next
worker takes the job again; nothing is lost with a process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db import leases
from db.audit import record
from db.tables import Account, Job, Specimen, Study
from db.types import utc_now

MOST_ATTEMPTS = 3
_LONGEST_LEASES = 10  # no worker asks for so many times the lease of another
STANDING = ("waiting", "running")
_ENDED_IN_THE_MIDDLE = (
    "The process that worked on it ended without a word, {n} times; most often memory ran out. "
    "Next step: set CELLCENSUS_PROCESSES lower or give the machine more memory, then ask again."
)


@dataclass(frozen=True, slots=True)
class Told:
    """A job in the words of a page: names instead of keys."""

    job: Job
    study: str | None
    specimen_id: str | None
    asked_by: str
    actor: str


class Asker(Protocol):
    """Who asks: an account, or the visitor of a page."""

    @property
    def key(self) -> int:
        """Key of the account."""

    @property
    def name(self) -> str:
        """Name of the account."""


def ask(
    session: Session,
    *,
    kind: str,
    subject: str,
    account: Asker,
    study_key: int | None = None,
    specimen_key: int | None = None,
    details: dict[str, Any] | None = None,
    reason: str = "",
) -> tuple[Job, bool]:
    """Queue a job, unless the same one is waiting or running.

    Returns
    -------
    tuple of Job and bool
        The job that stands, and whether it is new. A new one is written into the audit trail.
    """
    standing = find_standing(session, kind, subject)
    if standing is not None:
        return standing, False
    job = Job(
        kind=kind,
        subject=subject,
        study_key=study_key,
        specimen_key=specimen_key,
        details=details or {},
        account_key=account.key,
    )
    try:
        with session.begin_nested():
            session.add(job)
            session.flush()
    except IntegrityError:  # somebody asked for it between our look and our word
        standing = find_standing(session, kind, subject)
        if standing is None:
            raise
        return standing, False
    record(
        session,
        actor=account.name,
        action="job.asked",
        subject=subject,
        after={"job": job.key, "kind": kind},
        reason=reason,
    )
    return job, True


def find_standing(session: Session, kind: str, subject: str) -> Job | None:
    """The job of that kind and subject that is waiting or running."""
    return session.scalar(
        select(Job).where(Job.kind == kind, Job.subject == subject, Job.state.in_(STANDING))
    )


def take(session: Session, *, process: str, lease_seconds: float) -> Job | None:
    """Take the oldest job that waits or whose worker died; ``None`` if there is none.

    To be committed at once. Two workers never take the same job: on PostgreSQL rows that another
    one is taking are skipped, on SQLite a unit of work is alone.
    """
    while True:
        job = session.scalars(
            select(Job)
            .where(_is_due(session, lease_seconds))
            .order_by(Job.key)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).first()
        if job is None:
            return None
        if job.attempts < MOST_ATTEMPTS:
            job.state, job.process, job.attempts = "running", process, job.attempts + 1
            job.progress, job.label, job.seconds_left = 0.0, "starting", None
            job.started_at = utc_now()
            job.lease_until = leases.until(session, lease_seconds)
            session.flush()
            return job
        _end(session, job, "failed", _ENDED_IN_THE_MIDDLE.format(n=job.attempts))


def is_anything_due(session: Session, lease_seconds: float) -> bool:
    """Whether a job waits or lost its worker; costs no lock."""
    due = select(Job.key).where(_is_due(session, lease_seconds)).limit(1)
    return session.scalar(due) is not None


def renew(
    session: Session,
    key: int,
    *,
    process: str,
    lease_seconds: float,
    progress: float,
    label: str,
    seconds_left: float | None,
) -> bool:
    """Say how far a job is and keep it; ``False`` if another worker has it by now."""
    found = session.execute(
        update(Job)
        .where(Job.key == key, Job.process == process, Job.state == "running")
        .values(
            progress=progress,
            label=label,
            seconds_left=seconds_left,
            lease_until=leases.until(session, lease_seconds),
        )
        .returning(Job.key)
    )
    return found.first() is not None


def end(session: Session, key: int, *, process: str, state: str, message: str) -> bool:
    """Write down how a job ended; ``False`` if another worker has it by now."""
    job = _held(session, key, process)
    if job is not None:
        _end(session, job, state, message)
    return job is not None


def put_back(session: Session, key: int, *, process: str) -> bool:
    """Let a job that was begun wait again: its worker was asked to stop."""
    job = _held(session, key, process)
    if job is not None:
        # Being stopped is no fault of the job's.
        job.state, job.process, job.lease_until = "waiting", "", None
        job.attempts, job.label, job.progress = job.attempts - 1, "", 0.0
        job.seconds_left = None
        session.flush()
    return job is not None


def find(session: Session, key: int) -> Told | None:
    """One job."""
    return next(iter(_told(session, [Job.key == key], 1)), None)


def latest(session: Session, limit: int = 100) -> list[Told]:
    """The newest jobs: standing ones first, then by when they were asked for."""
    return _told(session, [], limit)


def standing(session: Session, study_key: int | None = None, kind: str | None = None) -> list[Told]:
    """Jobs that run, then those that wait, of one study or kind where one is named."""
    conditions: list[Any] = [Job.state.in_(STANDING)]
    if study_key is not None:
        conditions.append(Job.study_key == study_key)
    if kind is not None:
        conditions.append(Job.kind == kind)
    found = _told(session, conditions, 50)
    return sorted(found, key=lambda told: (told.job.state != "running", told.job.key))


def last_ended(session: Session, study_key: int) -> Told | None:
    """The job of a study that ended last."""
    rows = select(Job.key).where(Job.study_key == study_key, Job.state.not_in(STANDING))
    key = session.scalar(rows.order_by(Job.key.desc()).limit(1))
    return None if key is None else find(session, key)


def counts(session: Session) -> dict[str, int]:
    """How many jobs are in each state."""
    rows = session.execute(select(Job.state, func.count()).group_by(Job.state))
    return dict(rows.tuples().all())


def oldest_waiting(session: Session) -> datetime | None:
    """Since when the first job waits."""
    return session.scalar(select(func.min(Job.asked_at)).where(Job.state == "waiting"))


def _is_due(session: Session, lease_seconds: float) -> ColumnElement[bool]:
    now = leases.now_of(session)
    # A lease far ahead was given before the clock was set back; a worker that lives renews it soon,
    # and one that is robbed of its job notices and stops.
    beyond = now + _LONGEST_LEASES * timedelta(seconds=lease_seconds)
    over = or_(Job.lease_until < now, Job.lease_until > beyond)
    return or_(Job.state == "waiting", and_(Job.state == "running", over))


def _held(session: Session, key: int, process: str) -> Job | None:
    return session.scalar(
        select(Job)
        .where(Job.key == key, Job.process == process, Job.state == "running")
        .with_for_update()
    )


def _end(session: Session, job: Job, state: str, message: str) -> None:
    job.state, job.message, job.ended_at = state, message, utc_now()
    job.lease_until = job.seconds_left = None
    if state == "done":
        job.progress = 1.0
    session.flush()
    record(
        session,
        actor="system",
        action=f"job.{state}",
        subject=job.subject,
        after={"job": job.key, "kind": job.kind},
        reason=message if state == "failed" else "",
    )


def _told(session: Session, conditions: Sequence[Any], limit: int) -> list[Told]:
    rows = session.execute(
        select(Job, Study.name, Specimen.specimen_id, Account.full_name, Account.name)
        .join(Account, Account.key == Job.account_key)
        .outerjoin(Study, Study.key == Job.study_key)
        .outerjoin(Specimen, Specimen.key == Job.specimen_key)
        .where(*conditions)
        .order_by(Job.state.not_in(STANDING), Job.key.desc())
        .limit(limit)
    )
    return [Told(*row) for row in rows]
