"""Verification donors: chosen once, kept by hash."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from cellcensus.errors import StoreError
from cellcensus.recipe import canonical_json
from db.tables import VerificationDonor

Donor = tuple[str, str]
"""Name of the study and ``donor_id``; donor ids are unique within a study only."""


def verification_donors(session: Session, family: str) -> frozenset[Donor]:
    """The donors kept apart for models of a family.

    Raises
    ------
    StoreError
        A row is not as it was written.
    """
    rows = session.scalars(select(VerificationDonor).where(VerificationDonor.family == family))
    found = set()
    for row in rows:
        if row.digest != donor_digest(family, (row.study, row.donor_id)):
            raise StoreError(
                f"the record of verification donor {row.donor_id} of study {row.study} was altered",
                next_step="restore the database from a backup; nothing was trained",
            )
        found.add((row.study, row.donor_id))
    return frozenset(found)


def keep_apart(session: Session, family: str, donors: Iterable[Donor]) -> None:
    """Keep these donors apart from now on."""
    session.add_all(
        VerificationDonor(
            family=family,
            study=study,
            donor_id=donor_id,
            digest=donor_digest(family, (study, donor_id)),
        )
        for study, donor_id in sorted(donors)
    )
    session.flush()


def donor_digest(family: str, donor: Donor) -> str:
    """Hash of a donor for a family; by its order donors are chosen, so nobody can pick them."""
    return sha256(canonical_json([family, *donor]).encode()).hexdigest()
