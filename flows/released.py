"""Released reports: their content as it was signed, and the proof that it was."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from cellcensus.errors import StoreError
from db.tables import ReportSignature, ReportVersion

if TYPE_CHECKING:
    from reports.content import SpecimenReport


def released_content(session: Session, version: ReportVersion) -> SpecimenReport:
    """What a released version says, with its state and the signature that released it.

    Raises
    ------
    StoreError
        It is not released, or the signature is for another content.
    """
    from reports.content import Signature, Status
    from reports.stored import from_values

    signed = _signature(session, version)
    return replace(
        from_values(version.content),
        status=Status(version.state),
        version=version.version,
        generated_at=version.released_at or signed.signed_at,
        signature=Signature(
            signed.full_name, signed.meaning, signed.signed_at, signed.report_sha256
        ),
    )


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


def _signature(session: Session, version: ReportVersion) -> ReportSignature:
    # Asked of the database, not of `version.signatures`, which may have been read before signing.
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
    return signed
