"""The proof that a signed report is what was signed: its row, its file and the trail agree.

What fails it is not shown as signed, in any form.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cellcensus.errors import AlteredError
from cellcensus.recipe import hash_file
from db.audit import subject_of
from db.review import RELEASED
from db.tables import AuditEntry, ReportSignature, ReportVersion
from flows.versions import unsigned_content

if TYPE_CHECKING:
    from collections.abc import Sequence

ACTIONS = ("report.signed", "report.released")


def prove(session: Session, version: ReportVersion) -> None:
    """Let pass only what is as it was signed, by its row, its signatures and the trail.

    Raises
    ------
    AlteredError
        It is not; the message says what differs.
    """
    refuse_altered(version, defects_of(session, version))


def refuse_altered(version: ReportVersion, defects: Sequence[str]) -> None:
    """Say in words that a version with defects is not shown.

    Raises
    ------
    AlteredError
        There are any.
    """
    if defects:
        raise AlteredError(
            f"version {version.version} of this report is not shown, since it is not what was "
            f"signed any more: {' '.join(defects)[:-1]}",
            next_step="tell whoever runs the service: they compare database and home with a backup",
        )


def defects_of(session: Session, version: ReportVersion) -> tuple[str, ...]:
    """What is wrong with a version, its file left aside: one sentence each; none if all agree."""
    subject = subject_of(session, version.specimen_key)
    return (
        *content_defects(version),
        *_of_signatures(version),
        *_of_trail(version, _entries(session, subject, version.version)),
    )


def content_defects(version: ReportVersion) -> tuple[str, ...]:
    """Whether what it says, pictures included, is what its signatures are for."""
    from reports.identity import report_sha256

    try:
        same = report_sha256(unsigned_content(version)) == version.report_sha256
    except (KeyError, TypeError, ValueError):
        same = False
    return (
        *(() if same else ("What the report says is not what its hash was made of.",)),
        *(
            f"The signature of {signature.full_name} is for another content."
            for signature in version.signatures
            if signature.report_sha256 != version.report_sha256
        ),
    )


def file_defects(version: ReportVersion, home: Path) -> tuple[str, ...]:
    """Whether its page is there, and as it was published."""
    file = (home / version.path).resolve()
    if not file.is_relative_to(home) or not file.is_file():
        return ("Its file is missing.",)
    same = hash_file(file) == version.file_sha256
    return () if same else ("Its file was altered.",)


def _of_signatures(version: ReportVersion) -> list[str]:
    meanings = [signature.meaning for signature in version.signatures]
    if not meanings:
        return ["It has no signature."]
    if (version.state in RELEASED) != ("released" in meanings):
        return ["Its state is not what its signatures say."]
    return []


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
