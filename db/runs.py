"""The record of what was run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

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
) -> Run:
    """Write down that a stage begins."""
    run = Run(
        command=command,
        stage=stage,
        study_key=study_key,
        recipe=recipe,
        software=software,
        process=process,
    )
    session.add(run)
    session.flush()
    return run


def finish_run(
    session: Session, key: int, *, state: str, counts: dict[str, Any], notes: Sequence[str]
) -> None:
    """Write down how a stage ended."""
    run = session.get_one(Run, key)
    run.state, run.counts, run.notes, run.finished_at = state, counts, list(notes), utc_now()


def abandon_runs(session: Session, *, home: str) -> int:
    """Mark the runs of a home that no process is working on any more; how many.

    To be called only while no other process uses the home. Other homes may share the database.
    """
    running = session.execute(select(Run.key, Run.process).where(Run.state == "running"))
    keys = [key for key, process in running if process.split(":", 2)[-1] == home]
    if keys:
        session.execute(
            update(Run).where(Run.key.in_(keys)).values(state="abandoned", finished_at=utc_now())
        )
    return len(keys)


def latest_runs(session: Session, limit: int = 20) -> Sequence[Run]:
    """The newest runs first."""
    return session.scalars(select(Run).order_by(Run.key.desc()).limit(limit)).all()
