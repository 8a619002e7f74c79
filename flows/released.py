"""Released reports: their content as it was signed, and the proof that it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from cellcensus.errors import StoreError
from db.review import RELEASED
from db.tables import ReportVersion
from flows.proof import content_defects, refuse_altered
from flows.versions import released_report

if TYPE_CHECKING:
    from reports.content import SpecimenReport


def released_content(session: Session, version: ReportVersion) -> SpecimenReport:
    """What a released version says, with its state and its signatures.

    Raises
    ------
    StoreError
        It is not released.
    AlteredError
        It does not say what was signed.
    """
    # What was read before the signature was added does not know of it.
    session.refresh(version, ["signatures"])
    meanings = [signature.meaning for signature in version.signatures]
    if version.state not in RELEASED or "released" not in meanings:
        raise StoreError(
            f"version {version.version} of this report is not released",
            next_step="sign and release it first",
        )
    refuse_altered(version, content_defects(version))
    return released_report(version)


def newest_released(session: Session, specimen_key: int) -> ReportVersion | None:
    """The released version of a specimen's report that is in force; ``None`` if none is."""
    return session.scalar(
        select(ReportVersion)
        .where(
            ReportVersion.specimen_key == specimen_key,
            ReportVersion.state.in_(RELEASED),
        )
        .order_by(ReportVersion.version.desc())
        .limit(1)
    )
