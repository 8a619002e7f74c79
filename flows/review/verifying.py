"""The proof that a signed report is what was signed: its row, its file and the trail agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cellcensus.errors import UsageError
from cellcensus.recipe import hash_file
from cellcensus.settings import Settings
from db import review as rows
from db.store import Store
from db.tables import AuditEntry, ReportSignature, ReportVersion
from flows.review.step import specimen_row
from flows.versions import unsigned_content

ACTIONS = ("report.signed", "report.released")


def verify(
    store: Store, settings: Settings, study: str, specimen_id: str, version: int | None = None
) -> dict[int, tuple[str, ...]]:
    """What is wrong with the signed versions of a specimen's report, or with one of them.

    The trail itself is proved by :func:`db.audit.broken_entries`.

    Returns
    -------
    dict
        Version → defects, one sentence each; none if it is as it was signed.

    Raises
    ------
    UsageError
        There is no such specimen or version.
    """
    with store.reading() as session:
        specimen = specimen_row(session, study, specimen_id)
        found = [v for v in rows.versions(session, specimen.key) if version in (None, v.version)]
        if version is not None and not found:
            raise UsageError(
                f"specimen {specimen_id} of study {study} has no signed version {version}",
                next_step="its page lists the versions there are",
            )
        subject = f"specimen:{study}/{specimen_id}"
        home = settings.home.resolve()
        return {row.version: tuple(_defects(session, row, home, subject)) for row in found}


def _defects(session: Session, version: ReportVersion, home: Path, subject: str) -> list[str]:
    return [
        *_of_content(version),
        *_of_file(version, home),
        *_of_signatures(version),
        *_of_trail(version, _entries(session, subject, version.version)),
    ]


def _of_content(version: ReportVersion) -> list[str]:
    from reports.identity import report_sha256

    try:
        same = report_sha256(unsigned_content(version)) == version.report_sha256
    except (KeyError, TypeError, ValueError):
        same = False
    return [] if same else ["What the report says is not what its hash was made of."]


def _of_file(version: ReportVersion, home: Path) -> list[str]:
    file = (home / version.path).resolve()
    if not file.is_relative_to(home) or not file.is_file():
        return ["Its file is missing."]
    same = hash_file(file) == version.file_sha256
    return [] if same else ["Its file was altered."]


def _of_signatures(version: ReportVersion) -> list[str]:
    meanings = [signature.meaning for signature in version.signatures]
    found = [
        f"The signature of {s.full_name} is for another content."
        for s in version.signatures
        if s.report_sha256 != version.report_sha256
    ]
    if not meanings:
        found.append("It has no signature.")
    elif (version.state in rows.RELEASED) != ("released" in meanings):
        found.append("Its state is not what its signatures say.")
    return found


def _of_trail(version: ReportVersion, entries: list[AuditEntry]) -> list[str]:
    told = {str((entry.after or {}).get("meaning")): entry for entry in entries}
    found = []
    for signature in version.signatures:
        entry = told.pop(signature.meaning, None)
        if entry is None:
            found.append(f"The audit trail knows nothing of its signature as {signature.meaning}.")
        elif not _same(entry, version, signature):
            found.append(
                f"The audit trail tells otherwise of its signature as {signature.meaning}."
            )
    found += [
        f"The signature as {meaning} that the audit trail tells of is gone." for meaning in told
    ]
    if entries and (entries[-1].after or {}).get("file_sha256") != version.file_sha256:
        found.append("The audit trail tells of another file.")
    if entries and (entries[-1].after or {}).get("state") != version.state:
        found.append("The audit trail tells of another state.")
    return found


def _same(entry: AuditEntry, version: ReportVersion, signature: ReportSignature) -> bool:
    said: dict[str, Any] = entry.after or {}
    return (said.get("report_sha256"), said.get("full_name")) == (
        version.report_sha256,
        signature.full_name,
    )


def _entries(session: Session, subject: str, version: int) -> list[AuditEntry]:
    found = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.subject == subject, AuditEntry.action.in_(ACTIONS))
        .order_by(AuditEntry.number)
    )
    return [entry for entry in found if (entry.after or {}).get("version") == version]
