"""Quarantine: what is set aside and why; try it again, or keep it aside for good."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from cellcensus.errors import CellcensusError, UsageError
from cellcensus.rights import Right
from db import aside, jobs
from flows.jobs import KINDS, queue_rerun
from flows.review import Actor, discard, release_quarantine
from web import drawing
from web.pages.place import Curator, Database, Reader, Reason, go_to, say_no

router = APIRouter(default_response_class=HTMLResponse)

Name = Annotated[str, Form(max_length=200)]


@router.get("/quarantine")
def quarantine_page(store: Database, visitor: Reader) -> Response:
    """All specimens set aside, by study, and what became of those before."""
    with store.reading() as session:
        found = aside.set_aside(session)
        return drawing.page(
            "pages/quarantine.html",
            here="quarantine",
            waiting=[one for one in found if not one.discarded],
            discarded=[one for one in found if one.discarded],
            past=aside.past(session),
            standing=jobs.standing(session, kind="rerun"),
            kinds=KINDS,
            can_decide=visitor.can(Right.QUARANTINE),
        )


@router.post("/quarantine/release")
def release(
    request: Request,
    store: Database,
    visitor: Curator,
    *,
    study: Name,
    specimen: Name,
    reason: Reason = "",
) -> Response:
    """Take a specimen out of quarantine and ask for it to be run again."""
    actor = Actor(visitor.key, visitor.name, visitor.full_name, visitor.role)
    try:
        release_quarantine(store, actor, study, specimen, reason=reason)
        if visitor.can(Right.RUN):
            queue_rerun(store, visitor, study, specimen, reason=reason)
    except CellcensusError as error:
        return say_no(request, error, _status(error))
    return go_to("/quarantine")


@router.post("/quarantine/discard")
def throw_away(
    request: Request,
    store: Database,
    visitor: Curator,
    *,
    study: Name,
    specimen: Name,
    reason: Reason = "",
) -> Response:
    """Keep a specimen set aside until somebody releases it; its files stay where they are."""
    actor = Actor(visitor.key, visitor.name, visitor.full_name, visitor.role)
    try:
        discard(store, actor, study, specimen, reason=reason)
    except CellcensusError as error:
        return say_no(request, error, _status(error))
    return go_to("/quarantine")


def _status(error: CellcensusError) -> int:
    return 404 if isinstance(error, UsageError) else 409
