"""The audit trail: entries are appended in the transaction of the change they tell of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from cellcensus import __version__
from cellcensus.recipe import canonical_json
from db.tables import AuditEntry, Specimen, Study
from db.types import utc_now

FIRST_HASH = "0" * 64
_LOCK = 7_326_812  # any number of our own, for PostgreSQL's advisory lock
_HASHED = tuple(c.name for c in AuditEntry.__table__.columns if c.name != "entry_hash")


class Head(NamedTuple):
    """The end of the trail: number and hash of its newest entry; 0 and zeros of an empty one."""

    number: int
    entry_hash: str


def record(
    session: Session,
    *,
    action: str,
    subject: str,
    actor: str | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
    model_id: str | None = None,
) -> AuditEntry:
    """Append one entry to the trail; it is kept if and only if the session's changes are.

    Parameters
    ----------
    actor
        Name of the account, ``os:NAME`` for a command, or ``system`` for what the service does by
        itself; unset: whoever the unit of work was begun for.
    action
        What was done, for example ``result.corrected``.
    subject
        To what: ``specimen:STUDY/ID``, ``model:ID``, ``account:NAME``, ``setting:NAME``.
    before, after
        The values that changed, as JSON values.
    reason
        Why, in the words of whoever did it.
    model_id
        The model that made the result, where the subject is one.
    """
    lock(session)
    last = head(session)
    entry = AuditEntry(
        number=last.number + 1,
        made_at=utc_now(),
        actor=actor or session.info.get("actor", "system"),
        action=action,
        subject=subject,
        before=before,
        after=after,
        reason=reason,
        software=__version__,
        model_id=model_id,
        previous_hash=last.entry_hash,
    )
    entry.entry_hash = hash_of(entry)
    session.add(entry)
    session.flush()
    return entry


def lock(session: Session) -> None:
    """Let nobody else append until the transaction ends; as SQLite has it for every writer."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})


def head(session: Session) -> Head:
    """The newest entry; who notes it elsewhere can later tell whether the end was cut off."""
    last = session.execute(
        select(AuditEntry.number, AuditEntry.entry_hash).order_by(AuditEntry.number.desc()).limit(1)
    ).first()
    return Head(0, FIRST_HASH) if last is None else Head(last.number, last.entry_hash)


def hash_of(entry: AuditEntry) -> str:
    """SHA-256 over all columns of an entry, the hash of the one before it among them."""
    values = {name: getattr(entry, name) for name in _HASHED}
    values["made_at"] = entry.made_at.astimezone(UTC).isoformat()
    return sha256(canonical_json(values).encode()).hexdigest()


def broken_entries(session: Session) -> Iterator[tuple[int, str]]:
    """Number and defect of each place where the trail is not as it was written."""
    number, previous = 0, FIRST_HASH
    query = select(AuditEntry).order_by(AuditEntry.number).execution_options(yield_per=1000)
    for entry in session.scalars(query):
        if entry.number != number + 1:
            yield entry.number, f"entries {number + 1} to {entry.number - 1} are missing"
        elif entry.previous_hash != previous:
            yield entry.number, "it does not follow the entry before it"
        if entry.entry_hash != hash_of(entry):
            yield entry.number, "it was altered"
        number, previous = entry.number, entry.entry_hash


def disagreement(session: Session, noted: Head) -> str | None:
    """How the trail differs from a head noted earlier; ``None`` where it still holds that entry."""
    if noted.number == 0:
        return None if noted.entry_hash == FIRST_HASH else "an empty trail has no such hash"
    found = session.scalar(select(AuditEntry.entry_hash).where(AuditEntry.number == noted.number))
    if found is None:
        return "it was there when its hash was noted, and is missing"
    return None if found == noted.entry_hash else "its hash is not the one that was noted"


def subject_of(session: Session, specimen_key: int) -> str:
    """How the trail names a specimen: ``specimen:STUDY/ID``."""
    study, specimen = session.execute(
        select(Study.name, Specimen.specimen_id)
        .join(Specimen, Specimen.study_key == Study.key)
        .where(Specimen.key == specimen_key)
    ).one()
    return f"specimen:{study}/{specimen}"
