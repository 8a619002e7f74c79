"""Released reports: their content as it was signed, and the proof that it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from cellcensus.errors import StoreError
from db.tables import ReportSignature, ReportVersion
from flows.versions import released_report

if TYPE_CHECKING:
    from reports.content import SpecimenReport


def released_content(session: Session, version: ReportVersion) -> SpecimenReport:
    """What a released version says, with its state and its signatures.

    Raises
    ------
    StoreError
        It is not released, or the signature is for another content.
    """
    _check_signature(session, version)
    # What was read before the signature was added does not know of it.
    session.refresh(version, ["signatures"])
    return released_report(version)


def newest_released(session: Session, specimen_key: int) -> ReportVersion | None:
    """The released version of a specimen's report that is in force; ``None`` if none is."""
    return session.scalar(
        select(ReportVersion)
        .where(
            ReportVersion.specimen_key == specimen_key,
            ReportVersion.state.in_(("final", "corrected")),
        )
        .order_by(ReportVersion.version.desc())
        .limit(1)
    )


def _check_signature(session: Session, version: ReportVersion) -> None:
    signed = session.scalar(
        select(ReportSignature).where(
            ReportSignature.report_version_key == version.key,
            ReportSignature.meaning == "released",
        )
    )
    if version.state == "preliminary" or signed is None:
        raise StoreError(
            f"version {version.version} of this report is not released",
            next_step="sign and release it first",
        )
    if signed.report_sha256 != version.report_sha256:
        raise StoreError(
            f"version {version.version} of this report is not the one that was signed",
            next_step="sign the report as it is now",
        )
