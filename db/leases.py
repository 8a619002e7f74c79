"""Who works on what: leases that end with their holder, and are taken over by others.

A run that works moves its ``lease_until`` on. Under it, the run takes leases on subjects, such as
specimens, one holder each. Once a run was silent for too long, whoever comes next declares it
abandoned and frees what it held. A late holder finds its lease gone and may write nothing: the
lease is deleted in the transaction that stores the result.

Time is the database's own on PostgreSQL, since the clocks of several machines differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import ColumnElement, delete, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from cellcensus.errors import LeaseLostError
from db.tables import Lease, Run
from db.types import utc_now

_BEGINNING, _SHEET = 7_326_813, 7_326_814  # numbers of our own, for PostgreSQL's advisory locks
TURNS = ("retrain", "housekeeping")
"""Stages of runs that are of no study: they hold the lease of their own name and stand in nobody
else's way."""

_ROWS = 500  # of one statement: a database takes so many parameters and no more


def specimen_subject(specimen_key: int) -> str:
    """Subject of a lease on one specimen."""
    return f"specimen:{specimen_key}"


def begin_alone(session: Session) -> None:
    """Let nobody else decide who may begin a stage, until the transaction ends."""
    _alone(session, _BEGINNING)


def write_sheet_alone(session: Session) -> None:
    """Let nobody else write down what a study folder says, until the transaction ends."""
    _alone(session, _SHEET)


def may_begin(session: Session, *, study_key: int | None, stage: str, shared: bool) -> bool:
    """Whether no living run of the study stands in the way of this stage.

    A ``shared`` stage may be done by several machines together, and waits for other stages only.
    """
    same_study = Run.study_key.is_(None) if study_key is None else Run.study_key == study_key
    stages = session.scalars(
        select(Run.stage).where(
            same_study,
            Run.state == "running",
            Run.lease_until >= now_of(session),
            Run.stage.not_in(TURNS),
        )
    ).all()
    return all(shared and other == stage for other in stages)


def renew(session: Session, run_key: int, seconds: float) -> bool:
    """Move the end of a run's lease on; ``False`` if the run was declared abandoned."""
    found = session.execute(
        update(Run)
        .where(Run.key == run_key, Run.state == "running")
        .values(lease_until=until(session, seconds))
        .returning(Run.key)
    )
    return found.first() is not None


def check_alive(session: Session, run_key: int) -> None:
    """Refuse to go on for a run that was declared abandoned; until the transaction ends it is not.

    Raises
    ------
    LeaseLostError
        It was.
    """
    alive = select(Run.key).where(Run.key == run_key, Run.state == "running").with_for_update()
    if session.scalar(alive) is None:
        raise _lost()


def take(session: Session, run_key: int, subjects: Iterable[str], most: int) -> list[str]:
    """Take leases on the first of ``subjects`` that nobody holds, at most ``most``.

    Raises
    ------
    LeaseLostError
        The run itself was declared abandoned.
    """
    check_alive(session, run_key)
    bury(session)
    held = set(session.scalars(select(Lease.subject)))
    free = list(islice((subject for subject in subjects if subject not in held), most))
    taken: set[str] = set()
    for start in range(0, len(free), _ROWS):
        taken |= _insert(session, run_key, free[start : start + _ROWS])
    return [subject for subject in free if subject in taken]


def settle(session: Session, run_key: int, subject: str) -> None:
    """Give a lease back in the transaction that stores what it was taken for.

    Raises
    ------
    LeaseLostError
        The run does not hold it any more: nothing may be stored.
    """
    gone = session.execute(
        delete(Lease)
        .where(Lease.subject == subject, Lease.run_key == run_key)
        .returning(Lease.subject)
    )
    if gone.first() is None:
        raise _lost()


def give_back(session: Session, run_key: int, subjects: Sequence[str] | None = None) -> None:
    """Let go of leases, of all if none are named; those not held any more are passed over."""
    mine = delete(Lease).where(Lease.run_key == run_key)
    if subjects is None:
        session.execute(mine)
        return
    for start in range(0, len(subjects), _ROWS):
        session.execute(mine.where(Lease.subject.in_(subjects[start : start + _ROWS])))


def holder(session: Session, subject: str) -> Run | None:
    """The run that has the lease on a subject."""
    return session.scalar(
        select(Run).join(Lease, Lease.run_key == Run.key).where(Lease.subject == subject)
    )


def bury(session: Session, among: ColumnElement[bool] | None = None) -> int:
    """Declare runs abandoned and free what they held; how many.

    Parameters
    ----------
    among
        Which running ones; those whose lease has ended if not given.
    """
    dead = session.scalars(
        select(Run)
        .where(Run.state == "running")
        .where(Run.lease_until < now_of(session) if among is None else among)
        .with_for_update(skip_locked=True)
    ).all()
    for run in dead:
        run.state, run.finished_at = "abandoned", utc_now()
        give_back(session, run.key)
    session.flush()
    return len(dead)


def until(session: Session, seconds: float) -> datetime:
    """The end of a lease that is given or moved on now."""
    return now_of(session) + timedelta(seconds=seconds)


def now_of(session: Session) -> datetime:
    """Now, by the clock that all who share the database go by."""
    if session.get_bind().dialect.name == "postgresql":
        return session.execute(select(func.clock_timestamp())).scalar_one()
    return utc_now()


def _alone(session: Session, lock: int) -> None:
    # On SQLite a unit of work is alone anyway.
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": lock})


def _insert(session: Session, run_key: int, subjects: Sequence[str]) -> set[str]:
    on_postgres = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert if on_postgres else sqlite.insert
    rows = [{"subject": s, "run_key": run_key, "taken_at": utc_now()} for s in subjects]
    added = session.scalars(
        insert(Lease).values(rows).on_conflict_do_nothing().returning(Lease.subject)
    )
    return set(added)


def _lost() -> LeaseLostError:
    return LeaseLostError(
        "this process was silent for longer than its lease, and another goes on with its work",
        next_step="repeat the command; where machines pause for so long, raise "
        "CELLCENSUS_CONDUCTOR__LEASE_SECONDS",
    )
