"""The record of what was run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import leases
from db.tables import Run
from db.types import utc_now


def start_run(
    session: Session,
    *,
    command: str,
    stage: str,
    study_key: int | None,
    recipe: dict[str, Any],
    software: str,
    process: str,
    lease_seconds: float | None = None,
) -> Run:
    """Write down that a stage begins; it counts as alive until its lease ends."""
    run = Run(
        command=command,
        stage=stage,
        study_key=study_key,
        recipe=recipe,
        software=software,
        process=process,
    )
    if lease_seconds is not None:
        run.lease_until = leases.until(session, lease_seconds)
    session.add(run)
    session.flush()
    return run


def finish_run(
    session: Session, key: int, *, state: str, counts: dict[str, Any], notes: Sequence[str]
) -> None:
    """Write down how a stage ended; what it still held is free."""
    run = session.get_one(Run, key)
    run.state, run.counts, run.notes, run.finished_at = state, counts, list(notes), utc_now()
    leases.give_back(session, key)


def abandon_runs(session: Session, *, machine: str, home: str) -> int:
    """Mark the runs of a home on this machine, which no process is at any more; how many.

    To be called only while no other process of the machine uses the home. Other homes, and other
    machines, may share the database.
    """
    keys = [run.key for run in _running(session, machine, home)]
    return leases.bury(session, Run.key.in_(keys)) if keys else 0


def abandon_runs_of_study(
    session: Session, study_key: int | None, *, machine: str, home: str
) -> int:
    """The same for one study (or for models), by who alone works on it on this machine."""
    keys = [
        run.key
        for run in _running(session, machine, home)
        if run.study_key == study_key and run.stage not in leases.TURNS
    ]
    return leases.bury(session, Run.key.in_(keys)) if keys else 0


def abandon_turns(
    session: Session, turn: str, *, machine: str, home: str, but: int | None = None
) -> int:
    """The same for one of :data:`db.leases.TURNS`, by who alone may have it on this machine.

    ``but`` is the run of who asks.
    """
    running = _running(session, machine, home)
    keys = [run.key for run in running if run.stage == turn and run.key != but]
    return leases.bury(session, Run.key.in_(keys)) if keys else 0


def _running(session: Session, machine: str, home: str) -> list[Run]:
    running = session.scalars(select(Run).where(Run.state == "running")).all()
    return [run for run in running if _place(run.process) == (machine, home)]


def _place(process: str) -> tuple[str, str]:
    machine, _, home = process.split(":", 2)
    return machine, home


def latest_runs(session: Session, limit: int = 20) -> Sequence[Run]:
    """The newest runs first."""
    return session.scalars(select(Run).order_by(Run.key.desc()).limit(limit)).all()
