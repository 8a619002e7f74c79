"""Quarantine for a page: who is set aside now and why, and what became of those before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from db.findings import DISCARDED
from db.tables import Finding, Specimen, SpecimenRevision, Study


@dataclass(slots=True)
class Aside:
    """One specimen that is set aside; ``reasons`` are all that stand, the first one first."""

    study: str
    specimen_id: str
    recording: str | None
    since: datetime
    reasons: list[Finding]

    @property
    def discarded(self) -> bool:
        """Whether a person keeps it set aside for good."""
        return any(found.code == DISCARDED for found in self.reasons)


@dataclass(frozen=True, slots=True)
class Past:
    """One reason that sets its specimen aside no more."""

    study: str
    specimen_id: str
    finding: Finding


def set_aside(session: Session, limit: int = 500) -> list[Aside]:
    """Specimens in quarantine, by study and in the sheet's order."""
    found: dict[int, Aside] = {}
    rows = session.execute(
        _findings()
        .where(Finding.cleared_at.is_(None))
        .order_by(Study.name, Specimen.key, Finding.key)
        .limit(limit)
    )
    for study, specimen, recording, finding in rows:
        one = found.setdefault(
            specimen.key,
            Aside(study, specimen.specimen_id, recording or None, finding.found_at, []),
        )
        one.reasons.append(finding)
    return list(found.values())


def past(session: Session, limit: int = 50) -> list[Past]:
    """What set a specimen aside before and does so no more, the latest first."""
    rows = session.execute(
        _findings()
        .where(Finding.cleared_at.is_not(None))
        .order_by(Finding.cleared_at.desc(), Finding.key.desc())
        .limit(limit)
    )
    return [Past(study, specimen.specimen_id, finding) for study, specimen, _, finding in rows]


def _findings() -> Select[tuple[str, Specimen, str, Finding]]:
    sheet = and_(SpecimenRevision.specimen_key == Specimen.key, SpecimenRevision.latest)
    return (
        select(Study.name, Specimen, SpecimenRevision.recording, Finding)
        .join(Specimen, Specimen.key == Finding.specimen_key)
        .join(Study, Study.key == Specimen.study_key)
        .outerjoin(SpecimenRevision, sheet)
        .where(Finding.quarantines)
    )
