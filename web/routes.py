"""The pages. Each reads what it shows in one session and draws it after."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import PurePath
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from cellcensus import __version__
from cellcensus.errors import StoreError, UsageError
from cellcensus.rights import Right
from db.studies import find_study, study_names
from db.tables import Specimen
from db.tables import Study as StudyRow
from flows.documents import page_of
from reports.glossary import FLAGS
from web import drawing, queries, stored
from web.access import anyone, may
from web.bench.place import address
from web.given import Configured, Database

router = APIRouter()
pages = APIRouter(default_response_class=HTMLResponse, dependencies=[Depends(may(Right.READ))])

State = Literal["", "quarantined", "predicted", "ingested", "waiting"]
ReviewState = Literal["", "open", "on hold", "reviewed", "released", "corrected"]
Sort = Literal["", "need", "newest", "oldest", "specimen", "donor"]
Role = Literal["", "unknown", "mixed", "control", "purified", "blank"]
Short = Annotated[str, Query(max_length=200)]


def narrowed(
    *,
    study: Short = "",
    state: State = "",
    role: Role = "",
    flag: Short = "",
    instrument: Short = "",
    since: date | Literal[""] = "",
    until: date | Literal[""] = "",
    words: Short = "",
    review: ReviewState = "",
    sort: Sort = "",
) -> queries.Filter:
    """The filter of the work list; an empty field narrows nothing."""
    return queries.Filter(
        study,
        state,
        role,
        flag,
        instrument,
        since or None,
        until or None,
        words.strip(),
        review,
        sort,
    )


@pages.get("/")
def work_list(
    store: Database,
    settings: Configured,
    chosen: Annotated[queries.Filter, Depends(narrowed)],
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:
    """All specimens, what needs a person first."""
    with store.reading() as session:
        return drawing.page(
            "worklist.html",
            here="work",
            page=queries.work_list(session, chosen, page, settings.web.page_size),
            chosen=chosen,
            query=chosen.as_query(),
            studies=study_names(session),
            instruments=queries.instruments(session),
            flags=queries.flags_in_use(session),
            states=queries.STATES,
            roles=queries.ROLES,
            reviews=queries.REVIEW_STATES,
            sorts=queries.SORTS,
            place_of=place_of,
        )


@pages.get("/studies")
def studies(store: Database) -> Response:
    """All studies."""
    with store.reading() as session:
        return drawing.page(
            "studies.html",
            here="studies",
            studies=queries.studies(session),
            states=queries.STATES,
        )


@pages.get("/studies/{study}/report")
def study_file(study: str, store: Database, settings: Configured) -> Response:
    """The study's report as it was written, for printing."""
    with store.reading() as session:
        row = _study(session, study)
        found = stored.stored_report(session, settings.home, row.key, None)
    if found is None or found.html is None:
        raise HTTPException(404)
    return stored.as_written(found.html)


@pages.get("/studies/{study}/specimens/{specimen_id}/report")
def specimen_file(study: str, specimen_id: str, store: Database, settings: Configured) -> Response:
    """The specimen's report for printing: as it was signed, else as it was written."""
    with store.reading() as session:
        page = page_of(session, settings, _specimen(session, study, specimen_id).key)
    if page is None:
        raise HTTPException(404)
    return stored.as_written(page.decode())


@pages.get("/studies/{study}/{file}.html")
def linked_file(study: str, file: str, store: Database) -> Response:
    """Where a link inside a study's report leads: the page of that specimen."""
    with store.reading() as session:
        row = _study(session, study)
        key = stored.subject_of_file(session, row.key, f"{file}.html")
        name = (
            None
            if key is None
            else session.scalar(select(Specimen.specimen_id).where(Specimen.key == key))
        )
    if name is None:
        raise HTTPException(404)
    part = drawing.environment().filters["part"]
    return RedirectResponse(f"/studies/{part(study)}/specimens/{part(name)}", status_code=303)


@pages.get("/flags")
def flags() -> Response:
    """What every flag means, and what to do about it."""
    return drawing.page("flags.html", here="flags", flags=FLAGS.values())


@router.get("/static/{name}", dependencies=[Depends(anyone)])
def static(name: str) -> Response:
    """The style sheets and scripts."""
    if name not in drawing.STYLES:
        raise HTTPException(404)
    kept = {"Cache-Control": "public, max-age=31536000, immutable"}
    kind = drawing.KINDS[PurePath(name).suffix]
    return Response(drawing.style_sheet(name), media_type=kind, headers=kept)


@router.get("/healthz", dependencies=[Depends(anyone)])
def health(store: Database) -> JSONResponse:
    """Whether the service can do its work: 200 or 503."""
    try:
        with store.reading() as session:
            session.execute(select(1))
    except StoreError:
        return JSONResponse({"status": "no database", "version": __version__}, status_code=503)
    return JSONResponse({"status": "ok", "version": __version__})


router.include_router(pages)


def place_of(item: queries.Item, query: Mapping[str, str], at: int) -> str:
    """Address of a specimen of the list that remembers the list."""
    return address(item, urlencode(query), at)


def _study(session: Session, name: str) -> StudyRow:
    try:
        return find_study(session, name)
    except UsageError:
        raise HTTPException(404) from None


def _specimen(session: Session, study: str, specimen_id: str) -> queries.Item:
    item = queries.find_item(session, _study(session, study).name, specimen_id)
    if item is None:
        raise HTTPException(404)
    return item
