"""Figures for those who watch the service: few, cheap, and of no patient."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session

from db.tables import Finding, Run


def last_successes(session: Session) -> dict[str, datetime]:
    """Stage → when it last ended well; quarantined specimens do not count against it."""
    rows = session.execute(
        select(Run.stage, func.max(Run.key))
        .where(Run.state.in_(("done", "partial")))
        .group_by(Run.stage)
    )
    newest = {key: stage for stage, key in rows}
    found = session.execute(select(Run.key, Run.finished_at).where(Run.key.in_(newest)))
    return {newest[key]: moment for key, moment in found if moment is not None}


def run_counts(session: Session) -> dict[tuple[str, str], int]:
    """(stage, state) → how many runs there were."""
    rows = session.execute(
        select(Run.stage, Run.state, func.count()).group_by(Run.stage, Run.state)
    )
    return {(stage, state): count for stage, state, count in rows}


def quarantine_size(session: Session) -> int:
    """How many specimens are set aside now."""
    query = select(func.count(distinct(Finding.specimen_key))).where(
        Finding.quarantines, Finding.cleared_at.is_(None)
    )
    return session.scalar(query) or 0
