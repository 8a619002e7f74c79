"""Which donors are kept apart from all training of a set of classes."""

from __future__ import annotations

from collections.abc import Sequence

from cellcensus.changeplan import Verification
from cellcensus.study import Role
from db import registry
from db.verification import Donor, donor_digest, keep_apart, verification_donors
from flows.context import Context
from flows.intake import Intake


def kept_apart(
    ctx: Context, taken: Sequence[Intake], classes: Sequence[str], plan: Verification
) -> frozenset[Donor]:
    """The donors kept apart; those of mixed specimens seen for the first time are decided now.

    The hash of a donor's name decides, so that nobody can pick. A donor that any model of these
    classes has learned from can no longer be kept apart.
    """
    family = registry.family_of(classes)
    with ctx.store.unit_of_work() as session:
        kept = verification_donors(session, family)
        learned = {
            (entry["study"], entry["donor_id"])
            for model in registry.list_models(session)
            if model.family == family
            for entry in model.trained_on
        }
        fresh = _mixed_donors(taken) - kept - learned
        chosen = {donor for donor in fresh if _lot(family, donor) < plan.share}
        if chosen:
            keep_apart(session, family, chosen)
            session.commit()
    return kept | chosen


def _mixed_donors(taken: Sequence[Intake]) -> set[Donor]:
    return {
        (item.study.name, specimen.donor_id)
        for item in taken
        for specimen in item.usable
        if specimen.role is Role.MIXED
    }


def _lot(family: str, donor: Donor) -> float:
    """A number from 0 to 1 that is always the same for a donor."""
    return int(donor_digest(family, donor)[:12], 16) / 16**12
