"""Long work: ask for it, watch it, see what was done."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from cellcensus.errors import UsageError
from cellcensus.rights import Right
from db import jobs
from flows.jobs import KINDS, ask_for
from web import drawing
from web.pages.place import Database, Reader, Runner, go_to, say_no, study_address

router = APIRouter(default_response_class=HTMLResponse)

Short = Annotated[str, Form(max_length=200)]
_SHOWN = 100


@router.get("/jobs")
def jobs_page(store: Database, visitor: Reader) -> Response:
    """What waits and runs, and what was done."""
    with store.reading() as session:
        told, standing = jobs.latest(session, _SHOWN), jobs.standing(session)
    return drawing.page(
        "pages/jobs.html",
        here="jobs",
        standing=standing,
        ended=[one for one in told if one.job.state not in jobs.STANDING],
        kinds=KINDS,
        can_run=visitor.can(Right.RUN),
    )


@router.post("/jobs")
def ask(
    request: Request,
    store: Database,
    visitor: Runner,
    *,
    kind: Short,
    study: Short,
    specimen: Short = "",
) -> Response:
    """Queue work on a study or on one of its specimens; twice is once."""
    known = KINDS.get(kind)
    if known is not None and known.of == "models" and not visitor.can(Right.MODELS):
        raise HTTPException(403)
    try:
        with store.unit_of_work(visitor.name) as session:
            ask_for(session, kind, study=study, account=visitor, specimen_id=specimen or None)
            session.commit()
    except UsageError as error:
        return say_no(request, error, 404)
    return go_to(f"{study_address(study)}#work" if not specimen else "/jobs")


@router.get("/jobs/{key}")
def job_page(key: int, store: Database, _visitor: Reader) -> Response:
    """One job."""
    return drawing.page("pages/job.html", here="jobs", told=_find(store, key), kinds=KINDS)


@router.get("/jobs/{key}/state")
def job_state(key: int, store: Database, _visitor: Reader) -> Response:
    """The part of a page that says how far a job is; it asks for itself until the job ends."""
    return drawing.page("pages/job_state.html", told=_find(store, key), kinds=KINDS)


def _find(store: Database, key: int) -> jobs.Told:
    if not 0 < key < 2**31:
        raise HTTPException(404)
    with store.reading() as session:
        told = jobs.find(session, key)
    if told is None:
        raise HTTPException(404)
    return told
