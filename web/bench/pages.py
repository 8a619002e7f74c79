"""The page of a specimen and the parts of it that are asked for one by one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cellcensus.errors import RecordingError, StoreError
from cellcensus.rights import Right
from db import findings
from db.cells import find_cell_file
from db.review import read_version
from db.studies import find_study
from flows.documents import page_of_version
from flows.keptcells import kept_cells
from web import drawing, queries, stored
from web.access import Reader, may
from web.bench import film as films
from web.bench import frames, pictures, view
from web.bench.opened import (
    AtDesk,
    Desk,
    address_of,
    at_frame,
    find_specimen,
    item_of,
    list_query,
    open_specimen,
    values_of,
)

SPECIMEN = "/studies/{study}/specimens/{specimen_id}"
router = APIRouter(default_response_class=HTMLResponse, dependencies=[Depends(may(Right.READ))])

_KEPT = {"Cache-Control": "private, max-age=31536000, immutable"}
_SHORTLY = {"Cache-Control": "private, max-age=600"}
Ids = Annotated[str, Query(pattern=r"^\d{1,9}(,\d{1,9}){0,99}$")]
Frame = Annotated[int, Query(ge=0, le=100_000_000)]


@router.get(SPECIMEN)
def specimen_page(
    desk: AtDesk, visitor: Reader, frame: Frame | None = None, signing: bool = False
) -> Response:
    """One specimen: its result, its cells, its recording, and what people decided."""
    try:
        opened = find_specimen(desk)
    except StoreError as error:
        if error.file is None:
            raise
        return _unread(desk, item_of(desk), error)
    if isinstance(opened, queries.Item):
        return _unread(desk, opened)
    values = values_of(opened, visitor, desk.chosen, desk.page)
    return drawing.page(
        "bench/page.html",
        here="work",
        signing=signing,
        notice=None,
        **at_frame(opened, frame),
        **values,
    )


def _unread(desk: Desk, item: queries.Item, problem: StoreError | None = None) -> Response:
    with desk.store.reading() as session:
        found = findings.open_findings(session, find_study(session, item.study).key, item.key)
    return drawing.page("specimen.html", here="work", item=item, findings=found, problem=problem)


@router.get(SPECIMEN + "/gallery")
def gallery(desk: AtDesk, visitor: Reader, more: bool = False) -> Response:
    """The cells of one class; ``more`` gives the next page alone, to be put after the last."""
    if not desk.by_script:
        return RedirectResponse(f"{desk.address}#gallery", 303)
    values = values_of(open_specimen(desk), visitor, desk.chosen, desk.page)
    return drawing.page("bench/more.html" if more else "bench/gallery.html", **values)


@router.get(SPECIMEN + "/cells/{recipe}/many.png")
def many_cells(desk: AtDesk, recipe: str, ids: Ids) -> Response:
    """The best pictures of some cells side by side."""
    try:
        content = pictures.side_by_side(_cells(desk, recipe), [int(i) for i in ids.split(",")])
    except KeyError:
        raise HTTPException(404) from None
    return Response(content, media_type="image/png", headers=_KEPT)


@router.get(SPECIMEN + "/cells/{recipe}/{cell_id}.png")
def one_cell(desk: AtDesk, recipe: str, cell_id: int) -> Response:
    """All views of one cell."""
    try:
        content = pictures.all_views(_cells(desk, recipe), cell_id)
    except KeyError:
        raise HTTPException(404) from None
    return Response(content, media_type="image/png", headers=_KEPT)


@router.get(SPECIMEN + "/cells/{recipe}/{cell_id}")
def about_cell(desk: AtDesk, recipe: str, cell_id: int) -> Response:
    """What is known of one cell."""
    opened, found = open_specimen(desk), _cells(desk, recipe)
    if cell_id not in found.row_of:
        raise HTTPException(404)
    return drawing.page(
        "bench/cell.html",
        base=opened.base,
        recipe=recipe,
        cell=frames.cells_by_id(opened.bench).get(cell_id),
        cell_id=cell_id,
        figures=pictures.figures_of(found, cell_id),
        side=found.side,
    )


@router.get(SPECIMEN + "/film")
def film(request: Request, desk: AtDesk, frame: Frame = 0) -> Response:
    """One frame of the recording with what was found in it."""
    if not desk.by_script:
        query = list_query(desk.listed, desk.at, frame=frame)
        return RedirectResponse(
            f"{address_of(desk.study, desk.specimen_id)}?{query}#recording", 303
        )
    opened = open_specimen(desk)
    if opened.film is None:
        raise HTTPException(404)
    shown = frames.shown_frame(_films(request), opened.film, opened.bench, frame)
    return drawing.page("bench/film.html", base=opened.base, shown=shown)


@router.get(SPECIMEN + "/film/{recipe}/{index}.jpg")
def film_frame(request: Request, desk: AtDesk, recipe: str, index: int) -> Response:
    """One frame of the recording as a picture."""
    item = item_of(desk)
    with desk.store.reading() as session:
        row = find_cell_file(session, item.key, recipe)
        shown = view.film_of(session, row, desk.settings)
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
def version_file(desk: AtDesk, number: int) -> Response:
    """A signed version of the report, as it was written."""
    item = item_of(desk)
    with desk.store.reading() as session:
        version = read_version(session, item.key, number)
        if version is None:
            raise HTTPException(404)
        page = page_of_version(session, desk.settings, version)
    return stored.as_written(page.decode())


def _cells(desk: Desk, recipe: str) -> pictures.Cells:
    item = item_of(desk)
    with desk.store.reading() as session:
        row = find_cell_file(session, item.key, recipe)
    if row is None:
        raise HTTPException(404)
    try:
        with kept_cells(desk.settings, row.path).folder() as folder:
            return pictures.cells_of(folder)
    except StoreError:
        raise HTTPException(404) from None


def _films(request: Request) -> films.Films:
    found: films.Films = request.app.state.films
    return found
