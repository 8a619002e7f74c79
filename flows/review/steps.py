"""What a person does at the bench, short of signing: each in one unit of work with its trail."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cellcensus.settings import Settings
from db import review as rows
from db.store import Store
from flows.classified import WORDS, read_classes
from flows.recounted import recounted
from flows.review.step import Actor, Seen, Step, changing, reason_given

if TYPE_CHECKING:
    from flows.recounted import Recounted

UNCLASSIFIED = WORDS[-1]
ELSEWHERE = tuple(WORDS.values())


def correct(
    store: Store,
    settings: Settings,
    actor: Actor,
    study: str,
    specimen_id: str,
    *,
    cell_ids: Collection[int],
    after: str,
    seen: Seen,
    reason: str = "",
) -> Seen:
    """Put cells into a class, into ``unclassified`` or among the ``artefact``.

    Cells that are there already are passed over; if all are, nothing is changed.

    Raises
    ------
    StaleReviewError
        It was changed since ``seen``.
    ReviewError
        Nothing was predicted, or there is no such class or cell.
    """
    with changing(store, actor, study, specimen_id, seen) as step:
        now = _names(step, settings.home.resolve())
        known = [row.cell_class for row in step.predicted.prediction.rows]
        if after not in (*known, *ELSEWHERE):
            raise step.refusal(f"there is no class {after!r}", f"choose one of {', '.join(known)}")
        missing = sorted(set(cell_ids) - now.keys())
        if missing:
            raise step.refusal(f"there is no cell {missing[0]}", "load the page again")
        before = {cell: now[cell] for cell in sorted(set(cell_ids)) if now[cell] != after}
        return _move(step, before, dict.fromkeys(before, after), "result.corrected", reason)


def undo(
    store: Store, settings: Settings, actor: Actor, study: str, specimen_id: str, *, seen: Seen
) -> Seen:
    """Put the cells of the last correction back where they were; twice is as if never done.

    Raises
    ------
    StaleReviewError
        It was changed since ``seen``.
    ReviewError
        Nothing was corrected.
    """
    del settings
    with changing(store, actor, study, specimen_id, seen) as step:
        last = rows.last_batch(step.session, step.predicted.prediction.key)
        if last is None:
            raise step.refusal("nothing was corrected here", "there is nothing to undo")
        return _move(step, last.after, last.before, "result.correction_undone", "")


def comment(
    store: Store, actor: Actor, study: str, specimen_id: str, *, text: str, seen: Seen | None = None
) -> Seen:
    """Say something about the result; it is kept beside it and is no part of the report."""
    said = reason_given(text, specimen_id)
    with changing(store, actor, study, specimen_id, seen) as step:
        step.note("comment", text=said)
        return step.keep("result.commented", after={"comment": said})


def hold(
    store: Store,
    actor: Actor,
    study: str,
    specimen_id: str,
    *,
    reason: str,
    seen: Seen | None = None,
) -> Seen:
    """Hold the result back: it cannot be signed until somebody lifts the hold.

    Raises
    ------
    ReviewError
        No reason was given, or it is on hold already.
    """
    said = reason_given(reason, specimen_id)
    with changing(store, actor, study, specimen_id, seen) as step:
        if step.review.on_hold:
            raise step.refusal("the result is on hold already", "add a comment instead")
        return _set_hold(step, held=True, reason=said)


def unhold(
    store: Store,
    actor: Actor,
    study: str,
    specimen_id: str,
    *,
    reason: str,
    seen: Seen | None = None,
) -> Seen:
    """Lift the hold.

    Raises
    ------
    ReviewError
        No reason was given, or it is not on hold.
    """
    said = reason_given(reason, specimen_id)
    with changing(store, actor, study, specimen_id, seen) as step:
        if not step.review.on_hold:
            raise step.refusal("the result is not on hold", "load the page again")
        return _set_hold(step, held=False, reason=said)


def accept_flag(
    store: Store,
    actor: Actor,
    study: str,
    specimen_id: str,
    *,
    code: str,
    reason: str,
    seen: Seen,
) -> Seen:
    """Answer for a flag of the prediction in force: it no longer keeps the report from signing.

    Raises
    ------
    StaleReviewError
        It was changed since ``seen``.
    ReviewError
        No reason was given, or the prediction has no such flag.
    """
    said = reason_given(reason, specimen_id)
    with changing(store, actor, study, specimen_id, seen) as step:
        if code not in step.predicted.prediction.flags:
            raise step.refusal(f"the result has no flag {code}", "load the page again")
        step.note("flag_accepted", subject=code, text=said)
        return step.keep("flag.accepted", after={"flag": code}, reason=said)


def see_bin(store: Store, actor: Actor, study: str, specimen_id: str, *, seen: Seen) -> Seen:
    """Say that the unclassified cells were looked at.

    Raises
    ------
    StaleReviewError
        It was changed since ``seen``.
    ReviewError
        Nothing was predicted.
    """
    with changing(store, actor, study, specimen_id, seen) as step:
        key = step.predicted.prediction.key
        # What is put into the bin later has not been seen.
        last = rows.last_moved_to(step.session, key, UNCLASSIFIED)
        step.note("bin_seen", subject=str(last))
        return step.keep("bin.seen", after={"prediction": key})


def request_rerun(
    store: Store,
    actor: Actor,
    study: str,
    specimen_id: str,
    *,
    reason: str,
    seen: Seen | None = None,
) -> Seen:
    """Ask that the specimen be filmed or computed again.

    Raises
    ------
    ReviewError
        No reason was given.
    """
    said = reason_given(reason, specimen_id)
    with changing(store, actor, study, specimen_id, seen) as step:
        step.note("rerun_requested", text=said)
        return step.keep("rerun.requested", reason=said)


def counted(step: Step, home: Path) -> Recounted:
    """The prediction in force with its corrections."""
    prediction = step.predicted.prediction
    moved = rows.corrections(step.session, prediction.key)
    return recounted(prediction, read_classes(home / prediction.path), moved)


def _names(step: Step, home: Path) -> dict[int, str]:
    cells = counted(step, home).classified
    return {int(cell): cells.name(i) for i, cell in enumerate(cells.cell_id)}


def _move(
    step: Step, before: Mapping[int, str], after: Mapping[int, str], action: str, reason: str
) -> Seen:
    prediction = step.predicted.prediction
    if not after:
        return Seen(step.review.version, prediction.key)
    rows.add_corrections(step.session, prediction.key, before, after, step.actor.key)
    step.review.signed_state = "open"
    return step.keep(
        action,
        before={"cells": {str(cell): name for cell, name in before.items()}},
        after={"cells": {str(cell): name for cell, name in after.items()}},
        reason=reason,
    )


def _set_hold(step: Step, *, held: bool, reason: str) -> Seen:
    step.note("hold" if held else "unhold", text=reason)
    step.review.on_hold = held
    return step.keep(
        "result.held" if held else "result.unheld",
        before={"on_hold": not held},
        after={"on_hold": held},
        reason=reason,
    )
