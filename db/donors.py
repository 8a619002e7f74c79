"""Specimens of one donor, over all studies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.tables import Specimen, SpecimenRevision, Study

WHOLE_BLOOD = ("mixed", "unknown", "control")


@dataclass(frozen=True, slots=True)
class OfDonor:
    """A specimen of a donor, by the names people use."""

    study: str
    specimen: Specimen
    acquired_at: datetime


def earlier_specimens(
    session: Session, donor_id: str, before: datetime, most: int = 12
) -> list[OfDonor]:
    """Specimens of a donor's whole blood acquired before a moment, newest first.

    Purified specimens say nothing of the blood's composition and are left out; so are those whose
    time is not known.
    """
    rows = session.execute(
        select(Study.name, Specimen, SpecimenRevision.acquired_at)
        .join(Specimen, Specimen.study_key == Study.key)
        .join(SpecimenRevision, SpecimenRevision.specimen_key == Specimen.key)
        .where(
            SpecimenRevision.donor_id == donor_id,
            SpecimenRevision.latest,
            SpecimenRevision.listed,
            SpecimenRevision.role.in_(WHOLE_BLOOD),
            SpecimenRevision.acquired_at < before,
        )
        .order_by(SpecimenRevision.acquired_at.desc(), Specimen.key.desc())
        .limit(most)
    )
    return [OfDonor(*row) for row in rows]
