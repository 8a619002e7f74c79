"""Reading the audit trail: narrowed, newest first, in pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from db.tables import AuditEntry


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: an empty field narrows nothing.

    ``subject`` and ``action`` match from their beginning: ``specimen:demo/`` means all specimens
    of that study, ``account`` everything done to accounts.
    """

    subject: str = ""
    actor: str = ""
    action: str = ""
    since: datetime | None = None


def entries(
    session: Session, wanted: Wanted, *, limit: int, offset: int = 0
) -> Sequence[AuditEntry]:
    """Entries, newest first."""
    query = _narrow(select(AuditEntry), wanted)
    return session.scalars(
        query.order_by(AuditEntry.number.desc()).limit(limit).offset(offset)
    ).all()


def count(session: Session, wanted: Wanted) -> int:
    """How many entries there are."""
    return session.scalar(_narrow(select(func.count()).select_from(AuditEntry), wanted)) or 0


def as_dict(entry: AuditEntry) -> dict[str, Any]:
    """An entry in plain values, for JSON."""
    return {
        "number": entry.number,
        "made_at": entry.made_at.isoformat(),
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "before": entry.before,
        "after": entry.after,
        "reason": entry.reason,
        "software": entry.software,
        "model_id": entry.model_id,
        "previous_hash": entry.previous_hash,
        "entry_hash": entry.entry_hash,
    }


def _narrow(query: Select[Any], wanted: Wanted) -> Select[Any]:
    if wanted.subject:
        query = query.where(AuditEntry.subject.startswith(wanted.subject, autoescape=True))
    if wanted.action:
        query = query.where(AuditEntry.action.startswith(wanted.action, autoescape=True))
    if wanted.actor:
        query = query.where(AuditEntry.actor == wanted.actor)
    if wanted.since is not None:
        query = query.where(AuditEntry.made_at >= wanted.since)
    return query
