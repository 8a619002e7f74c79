"""What a person decides at the bench. Each is a form that works without a script.

A script's request is answered with the parts of the page that changed; a form's with the page.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cellcensus.errors import ReviewError, StaleReviewError, UsageError
from cellcensus.rights import Right
from flows import review
from flows.jobs import queue_rerun
from flows.review import Actor, Seen
from flows.signin import confirm_password
from web import drawing, queries
from web.access import may
from web.bench.opened import AtDesk, Desk, at_frame, open_specimen, values_of
from web.bench.pages import SPECIMEN
from web.bench.place import next_to_sign
from web.visitor import Visitor

router = APIRouter(default_response_class=HTMLResponse)

Reviewer = Annotated[Visitor, Depends(may(Right.REVIEW))]
Signer = Annotated[Visitor, Depends(may(Right.SIGN))]
Releaser = Annotated[Visitor, Depends(may(Right.RELEASE))]
Reason = Annotated[str, Form(max_length=2000)]
SeenField = Annotated[str, Form(max_length=60)]
Password = Annotated[str, Form(max_length=1000)]
WRONG_PASSWORD = "That is not your password. Nothing was signed."  # noqa: S105  a sentence


@dataclass(frozen=True)
class Notice:
    """What is said at the head of the page; ``reload`` offers to load it again."""

    words: str
    action: str = ""
    reload: bool = False


@router.post(SPECIMEN + "/corrections")
def correct(
    desk: AtDesk,
    visitor: Reviewer,
    seen: SeenField,
    to: Annotated[str, Form(max_length=200)],
    cell: Annotated[list[int] | None, Form()] = None,
) -> Response:
    """Put the chosen cells into a class."""
    cells = cell or []
    word = "cell" if len(cells) == 1 else "cells"
    return _do(
        desk,
        visitor,
        lambda actor: review.correct(
            *desk.with_settings(actor),
            cell_ids=cells,
            after=to,
            seen=Seen.parse(seen),
        ),
        f"{len(cells)} {word} moved to {to}.",
        gallery=True,
    )


@router.post(SPECIMEN + "/undo")
def undo(desk: AtDesk, visitor: Reviewer, seen: SeenField) -> Response:
    """Take the last correction back."""
    return _do(
        desk,
        visitor,
        lambda actor: review.undo(*desk.with_settings(actor), seen=Seen.parse(seen)),
        "The last correction was taken back.",
        gallery=True,
    )


@router.post(SPECIMEN + "/bin")
def see_bin(desk: AtDesk, visitor: Reviewer, seen: SeenField) -> Response:
    """Write down that the unclassified cells were looked at."""
    return _do(
        desk,
        visitor,
        lambda actor: review.see_bin(*desk.of(actor), seen=Seen.parse(seen)),
        "It is written down that you looked at the unclassified cells.",
    )


@router.post(SPECIMEN + "/comments")
def comment(desk: AtDesk, visitor: Reviewer, seen: SeenField, text: Reason = "") -> Response:
    """Add a comment."""
    return _do(
        desk,
        visitor,
        lambda actor: review.comment(*desk.of(actor), text=text, seen=Seen.parse(seen)),
        "The comment was added.",
    )


@router.post(SPECIMEN + "/hold")
def hold(desk: AtDesk, visitor: Reviewer, seen: SeenField, reason: Reason = "") -> Response:
    """Hold the result back."""
    return _do(
        desk,
        visitor,
        lambda actor: review.hold(*desk.of(actor), reason=reason, seen=Seen.parse(seen)),
        "The result is on hold.",
    )


@router.post(SPECIMEN + "/unhold")
def unhold(desk: AtDesk, visitor: Reviewer, seen: SeenField, reason: Reason = "") -> Response:
    """Lift the hold."""
    return _do(
        desk,
        visitor,
        lambda actor: review.unhold(*desk.of(actor), reason=reason, seen=Seen.parse(seen)),
        "The hold was lifted.",
    )


@router.post(SPECIMEN + "/flags")
def accept_flag(
    desk: AtDesk,
    visitor: Reviewer,
    seen: SeenField,
    code: Annotated[str, Form(max_length=200)],
    reason: Reason = "",
) -> Response:
    """Answer for a flag."""
    return _do(
        desk,
        visitor,
        lambda actor: review.accept_flag(
            *desk.of(actor),
            code=code,
            reason=reason,
            seen=Seen.parse(seen),
        ),
        "The flag was accepted, with your reason.",
    )


@router.post(SPECIMEN + "/rerun")
def rerun(desk: AtDesk, visitor: Reviewer, seen: SeenField, reason: Reason = "") -> Response:
    """Ask for another recording or computation; what can be done without a person is queued."""

    def ask(actor: Actor) -> Seen:
        now = review.request_rerun(*desk.of(actor), reason=reason, seen=Seen.parse(seen))
        queue_rerun(*desk.of(actor), reason=reason)
        return now

    return _do(desk, visitor, ask, "The re-run was asked for.")


@router.post(SPECIMEN + "/sign")
def sign(
    desk: AtDesk,
    visitor: Signer,
    seen: SeenField,
    password: Password = "",
    go_on: Annotated[bool, Form()] = False,
) -> Response:
    """Sign the report as it stands; with ``go_on`` the next of the list comes up."""
    if not _knows_password(desk, visitor, password):
        return _refused(desk, visitor, Notice(WRONG_PASSWORD), 403)
    meaning = "reviewed" if desk.settings.review.two_person_release else "released"
    following = _following(desk) if go_on else ""
    return _do(
        desk,
        visitor,
        lambda actor: review.sign(
            *desk.with_settings(actor),
            meaning=meaning,
            seen=Seen.parse(seen),
        ),
        "",
        then=following or desk.address,
    )


@router.post(SPECIMEN + "/release")
def release(
    desk: AtDesk,
    visitor: Releaser,
    seen: SeenField,
    password: Password = "",
) -> Response:
    """Release, as the second person, what another has signed."""
    if not _knows_password(desk, visitor, password):
        return _refused(desk, visitor, Notice(WRONG_PASSWORD), 403)
    return _do(
        desk,
        visitor,
        lambda actor: review.release(*desk.with_settings(actor), seen=Seen.parse(seen)),
        "",
        then=desk.address,
    )


def _knows_password(desk: Desk, visitor: Visitor, password: str) -> bool:
    return confirm_password(desk.store, desk.settings.access, visitor.key, password)


def _following(desk: Desk) -> str:
    # Asked before signing: afterwards the specimen stands elsewhere in the list.
    with desk.store.reading() as session:
        item = queries.find_item(session, desk.study, desk.specimen_id)
        return next_to_sign(session, item, desk.listed, desk.at) if item else ""


def _do(
    desk: Desk,
    visitor: Visitor,
    act: Callable[[Actor], Seen],
    said: str,
    *,
    gallery: bool = False,
    then: str = "",
) -> Response:
    """Do it, and answer with what there is to see now or with why it was not done."""
    actor = Actor(visitor.key, visitor.name, visitor.full_name, visitor.role)
    try:
        act(actor)
    except StaleReviewError as error:
        return _refused(desk, visitor, Notice(_sentence(error), reload=True), 409)
    except ReviewError as error:
        return _refused(desk, visitor, Notice(_sentence(error), error.next_step or ""), 422)
    except UsageError:
        raise HTTPException(404) from None
    if not desk.by_script or then:
        return RedirectResponse(then or desk.address, 303)
    return _changed(desk, visitor, said, gallery=gallery)


def _sentence(error: ReviewError) -> str:
    text = str(error.message).rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


def _changed(desk: Desk, visitor: Visitor, said: str, *, gallery: bool) -> Response:
    opened = open_specimen(desk)
    values = values_of(opened, visitor, desk.chosen, desk.page)
    answer = drawing.page("bench/changed.html", said=said, with_gallery=gallery, **values)
    answer.headers["HX-Trigger"] = json.dumps({"seen": {"value": str(opened.bench.seen)}})
    return answer


def _refused(desk: Desk, visitor: Visitor, notice: Notice, status: int) -> Response:
    if desk.by_script:
        answer = drawing.page(
            "bench/notice.html", status=status, notice=notice, address=desk.address
        )
        answer.headers.update({"HX-Retarget": "#notice", "HX-Reswap": "outerHTML"})
        return answer
    opened = open_specimen(desk)
    values = values_of(opened, visitor, desk.chosen, desk.page)
    return drawing.page(
        "bench/page.html",
        status=status,
        here="work",
        signing=False,
        notice=notice,
        **at_frame(opened),
        **values,
    )
