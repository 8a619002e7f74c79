"""The page of a specimen and the parts of it that are asked for one by one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from sqlalchemy import select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cellcensus.errors import CellcensusError, RecordingError, StoreError
from cellcensus.rights import Right
from db import findings
from db.cells import find_cell_file
from db.studies import find_study
from db.tables import ReportVersion
from web import drawing, queries, stored
from web.access import Reader, may
from web.bench import film as films
from web.bench import pictures, shelves, view
from web.bench.opened import (
    At,
    FromList,
    OfClass,
    OfPage,
    Opened,
    address_of,
    list_query,
    open_specimen,
    values_of,
)
from web.guard import POLICY
from web.routes import Configured, Database

SPECIMEN = "/studies/{study}/specimens/{specimen_id}"
router = APIRouter(default_response_class=HTMLResponse, dependencies=[Depends(may(Right.READ))])

_KEPT = {"Cache-Control": "private, max-age=31536000, immutable"}
_SHORTLY = {"Cache-Control": "private, max-age=600"}
Ids = Annotated[str, Query(pattern=r"^\d{1,9}(,\d{1,9}){0,99}$")]
Frame = Annotated[int, Query(ge=0, le=100_000_000)]


@router.get(SPECIMEN)
def specimen_page(
    study: str,
    specimen_id: str,
    store: Database,
    settings: Configured,
    visitor: Reader,
    listed: FromList = None,
    at: At = None,
    chosen: OfClass = "",
    page: OfPage = 1,
    frame: Frame = 0,
    signing: bool = False,
) -> Response:
    """One specimen: its result, its cells, its recording, and what people decided."""
    opened = open_specimen(store, settings, study, specimen_id, listed, at)
    if isinstance(opened, queries.Item):
        return _unread(opened, store)
    values = values_of(opened, visitor, chosen, page)
    return drawing.page(
        "bench/page.html", here="work", frame=frame, signing=signing, notice=None, **values
    )


def _unread(item: queries.Item, store: Database) -> Response:
    with store.reading() as session:
        found = findings.open_findings(session, find_study(session, item.study).key, item.key)
    return drawing.page("specimen.html", here="work", item=item, findings=found)


@router.get(SPECIMEN + "/gallery")
def gallery(
    request: Request,
    study: str,
    specimen_id: str,
    store: Database,
    settings: Configured,
    visitor: Reader,
    listed: FromList = None,
    at: At = None,
    chosen: OfClass = "",
    page: OfPage = 1,
    more: bool = False,
    hx_request: Annotated[bool, Header()] = False,
) -> Response:
    """The cells of one class; ``more`` gives the next page alone, to be put after the last."""
    if not hx_request:
        query = list_query(listed, at, **{"class": chosen, "page": page})
        return RedirectResponse(f"{address_of(study, specimen_id)}?{query}#gallery", 303)
    opened = _opened(open_specimen(store, settings, study, specimen_id, listed, at))
    template = "bench/more.html" if more else "bench/gallery.html"
    return drawing.page(template, **values_of(opened, visitor, chosen, page))


@router.get(SPECIMEN + "/cells/{recipe}/many.png")
def many_cells(
    study: str, specimen_id: str, recipe: str, ids: Ids, store: Database, settings: Configured
) -> Response:
    """The best pictures of some cells side by side."""
    found = _cells(store, settings, study, specimen_id, recipe)
    try:
        content = pictures.side_by_side(found, [int(cell) for cell in ids.split(",")])
    except KeyError:
        raise HTTPException(404) from None
    return Response(content, media_type="image/png", headers=_KEPT)


@router.get(SPECIMEN + "/cells/{recipe}/{cell_id}.png")
def one_cell(
    study: str, specimen_id: str, recipe: str, cell_id: int, store: Database, settings: Configured
) -> Response:
    """All views of one cell."""
    found = _cells(store, settings, study, specimen_id, recipe)
    try:
        content = pictures.all_views(found, cell_id)
    except KeyError:
        raise HTTPException(404) from None
    return Response(content, media_type="image/png", headers=_KEPT)


@router.get(SPECIMEN + "/cells/{recipe}/{cell_id}")
def about_cell(
    study: str,
    specimen_id: str,
    recipe: str,
    cell_id: int,
    store: Database,
    settings: Configured,
) -> Response:
    """What is known of one cell."""
    opened = _opened(open_specimen(store, settings, study, specimen_id))
    found = _cells(store, settings, study, specimen_id, recipe)
    if cell_id not in found.row_of:
        raise HTTPException(404)
    groups = (*opened.bench.groups, opened.bench.bin, opened.bench.artefacts)
    cell = next((c for group in groups for c in group.cells if c.cell_id == cell_id), None)
    return drawing.page(
        "bench/cell.html",
        base=opened.base,
        recipe=recipe,
        cell=cell,
        cell_id=cell_id,
        figures=pictures.figures_of(found, cell_id),
        side=found.side,
        window_um=opened.bench.window_um,
    )


@router.get(SPECIMEN + "/film")
def film(
    request: Request,
    study: str,
    specimen_id: str,
    store: Database,
    settings: Configured,
    frame: Frame = 0,
    hx_request: Annotated[bool, Header()] = False,
) -> Response:
    """One frame of the recording with what was found in it."""
    if not hx_request:
        return RedirectResponse(
            f"{address_of(study, specimen_id)}?{list_query(None, None, frame=frame)}#recording", 303
        )
    opened = _opened(open_specimen(store, settings, study, specimen_id))
    return drawing.page("bench/film.html", **film_values(request, opened, frame))


def film_values(request: Request, opened: Opened, frame: int) -> dict[str, object]:
    """What the picture of one frame needs; ``problem`` is why it cannot be shown."""
    from pipeline.tracks import has_tracks, seen_in  # noqa: PLC0415  loads the tables' library

    shown = opened.film
    if shown is None:
        raise HTTPException(404)
    frame = min(frame, max(shown.frames - 1, 0))
    keys = {tab.name: tab.key for tab in shelves.tabs(opened.bench)}
    groups = (*opened.bench.groups, opened.bench.bin, opened.bench.artefacts)
    class_of = {c.cell_id: c for group in groups for c in group.cells}
    values: dict[str, object] = {
        "base": opened.base,
        "frame": frame,
        "recipe": shown.recipe_id,
        "tracked": has_tracks(shown.cells),
        "problem": None,
        "class_of": class_of,
        "keys": keys,
        "seen": [],
    }
    try:
        values["width"], values["height"] = _films(request).size(shown.folder, shown.recording)
        if values["tracked"]:
            values["seen"] = seen_in(shown.cells, frame)
    except CellcensusError as error:
        values["problem"] = error
    return values


@router.get(SPECIMEN + "/film/{recipe}/{index}.jpg")
def film_frame(
    request: Request,
    study: str,
    specimen_id: str,
    recipe: str,
    index: int,
    store: Database,
    settings: Configured,
) -> Response:
    """One frame of the recording as a picture."""
    with store.reading() as session:
        item = queries.find_item(session, study, specimen_id)
        row = find_cell_file(session, item.key, recipe) if item else None
        shown = view.film_of(session, row, settings.home.resolve())
    if shown is None or not 0 <= index < max(shown.frames, 1):
        raise HTTPException(404)
    try:
        content = _films(request).frame(shown.folder, shown.recording, index)
    except films.BusyError:
        raise HTTPException(503, headers={"Retry-After": "2"}) from None
    except RecordingError:
        raise HTTPException(404) from None
    return Response(content, media_type="image/jpeg", headers=_SHORTLY)


@router.get(SPECIMEN + "/versions/{number}")
def version_file(
    study: str, specimen_id: str, number: int, store: Database, settings: Configured
) -> Response:
    """A signed version of the report, as it was written."""
    with store.reading() as session:
        item = queries.find_item(session, study, specimen_id)
        version = None
        if item is not None:
            version = session.scalar(
                select(ReportVersion).where(
                    ReportVersion.specimen_key == item.key, ReportVersion.version == number
                )
            )
    if version is None:
        raise HTTPException(404)
    html = stored.unaltered(settings.home, version.path, version.file_sha256)
    if html is None:
        raise HTTPException(404)
    policy = POLICY.replace("style-src 'self'", f"style-src {stored.style_hashes(html)}")
    return HTMLResponse(html, headers={"Content-Security-Policy": policy})


def _opened(found: Opened | queries.Item) -> Opened:
    if isinstance(found, queries.Item):
        raise HTTPException(404)
    return found


def _cells(
    store: Database, settings: Configured, study: str, specimen_id: str, recipe: str
) -> pictures.Cells:
    with store.reading() as session:
        item = queries.find_item(session, study, specimen_id)
        row = find_cell_file(session, item.key, recipe) if item else None
    if row is None:
        raise HTTPException(404)
    try:
        return pictures.cells_of(settings.home.resolve() / row.path)
    except StoreError:
        raise HTTPException(404) from None


def _films(request: Request) -> films.Films:
    found: films.Films = request.app.state.films
    return found
