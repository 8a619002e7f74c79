"""Quarantine, decided by a person: try again, or keep set aside for good."""

from __future__ import annotations

from cellcensus.findings import Finding, Level
from db import cells, findings, predictions
from db.store import Store
from flows.review.step import Actor, Seen, Step, changing, reason_given

SOURCE = "review"


def release_quarantine(
    store: Store, actor: Actor, study: str, specimen_id: str, *, reason: str
) -> Seen:
    """Take a specimen out of quarantine: the next run tries it again.

    What was wrong and still is will be found again, and sets it aside again.

    Raises
    ------
    ReviewError
        No reason was given, or it is not in quarantine.
    """
    said = reason_given(reason, specimen_id)
    with changing(store, actor, study, specimen_id, None) as step:
        found = _aside(step)
        findings.clear_quarantine(step.session, step.specimen.key)
        return step.keep(
            "quarantine.released",
            before={"code": found.code, "reason": found.reason},
            reason=said,
        )


def discard(store: Store, actor: Actor, study: str, specimen_id: str, *, reason: str) -> Seen:
    """Keep a specimen in quarantine for good: no run tries it until somebody releases it.

    Raises
    ------
    ReviewError
        No reason was given, it is not in quarantine, or it was discarded before.
    """
    said = reason_given(reason, specimen_id)
    with changing(store, actor, study, specimen_id, None) as step:
        found = _aside(step)
        if findings.is_discarded(step.session, step.specimen.key):
            raise step.refusal("it was discarded before", "release it to have it tried again")
        findings.reconcile(
            step.session,
            [_finding(said, specimen_id)],
            study_key=step.specimen.study_key,
            specimen_key=step.specimen.key,
            source=SOURCE,
            quarantines=True,
        )
        cells.set_aside(step.session, step.specimen.key)
        predictions.set_aside(step.session, step.specimen.key)
        return step.keep(
            "specimen.discarded",
            before={"code": found.code, "reason": found.reason},
            reason=said,
        )


def _aside(step: Step) -> findings.Quarantine:
    found = findings.quarantine_of(step.session, step.specimen.key)
    if found is None:
        raise step.refusal("the specimen is not in quarantine", "load the page again")
    return found


def _finding(reason: str, specimen_id: str) -> Finding:
    return Finding(
        Level.VIOLATION,
        findings.DISCARDED,
        f"discarded: {reason}",
        "release it from quarantine to have it tried again",
        specimen_id,
    )
