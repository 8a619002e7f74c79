"""Who may do what: the rights, and those of each role.

A role is what somebody is in the laboratory, and everybody has one. Whoever manages people does
not thereby decide about results, and whoever makes models does not sign what they say.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Right(StrEnum):
    """Something that may be allowed."""

    READ = "read"
    REVIEW = "review"
    SIGN = "sign"
    RELEASE = "release"
    QUARANTINE = "quarantine"
    MODELS = "models"
    RUN = "run"
    PEOPLE = "people"
    AUDIT = "audit"
    TOKENS = "tokens"


MEANINGS: Mapping[Right, str] = {
    Right.READ: "see studies, specimens, models and reports",
    Right.REVIEW: "correct cells, comment, hold, accept a flag, ask for a re-run",
    Right.SIGN: "sign a report; where one person is enough, this releases it",
    Right.RELEASE: "release, as the second person, what another has signed",
    Right.QUARANTINE: "take a specimen out of quarantine, or discard it",
    Right.MODELS: "promote a model, or go back to an earlier one",
    Right.RUN: "start long work",
    Right.PEOPLE: "manage accounts",
    Right.AUDIT: "read the audit trail",
    Right.TOKENS: "make tokens with which a machine may read in one's own name",
}

_BENCH = frozenset({Right.READ, Right.REVIEW, Right.SIGN})

ROLE_RIGHTS: Mapping[str, frozenset[Right]] = {
    "viewer": frozenset({Right.READ}),
    "technician": _BENCH,
    "reviewer": _BENCH | {Right.RELEASE, Right.QUARANTINE, Right.RUN, Right.AUDIT},
    "scientist": frozenset(
        {Right.READ, Right.QUARANTINE, Right.MODELS, Right.RUN, Right.AUDIT, Right.TOKENS}
    ),
    "administrator": frozenset({Right.READ, Right.PEOPLE, Right.AUDIT, Right.TOKENS}),
}
ROLES = tuple(ROLE_RIGHTS)


def allows(role: str, right: Right) -> bool:
    """Whether somebody of this role has the right; a role that is none has none."""
    return right in ROLE_RIGHTS.get(role, frozenset())
