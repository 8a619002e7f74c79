"""Settings in the audit trail: what is in force when something is done, and what was before."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cellcensus.recipe import canonical_json
from db import audit
from db.tables import AuditEntry


def note_settings(session: Session, name: str, values: dict[str, Any]) -> bool:
    """Write down the settings of a stage if they differ from those noted last; whether they did.

    Parameters
    ----------
    name
        The stage or section, for example ``ingest``.
    values
        All its settings, as JSON values.
    """
    if _same(_last(session, name), values):
        return False
    # Another process may have noted the same meanwhile; from here on none can.
    audit.lock(session)
    before = _last(session, name)
    if _same(before, values):
        return False
    action = "setting.noted" if before is None else "setting.changed"
    audit.record(session, action=action, subject=f"setting:{name}", before=before, after=values)
    return True


def changes(before: dict[str, Any] | None, after: dict[str, Any] | None) -> dict[str, list[Any]]:
    """What differs between two groups of values: name → [before, after]; nested names dotted."""
    old, new = _flat(before or {}), _flat(after or {})
    names = dict.fromkeys([*old, *new])
    return {n: [old.get(n), new.get(n)] for n in names if old.get(n) != new.get(n)}


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _last(session: Session, name: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = session.scalar(
        select(AuditEntry.after)
        .where(AuditEntry.subject == f"setting:{name}")
        .order_by(AuditEntry.number.desc())
        .limit(1)
    )
    return found


def _same(one: dict[str, Any] | None, other: dict[str, Any]) -> bool:
    return one is not None and canonical_json(one) == canonical_json(other)
