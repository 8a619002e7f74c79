"""One specimen opened for somebody: what every page and fragment of the bench begins with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import Depends, Header, Query
from starlette.exceptions import HTTPException

from cellcensus.errors import UsageError
from cellcensus.rights import Right
from cellcensus.settings import Settings
from db.predictions import history
from db.store import Store
from db.tables import CellFile
from web import queries
from web.bench import shelves, view
from web.bench.place import Place, find_place
from web.given import Configured, Database
from web.visitor import Visitor

if TYPE_CHECKING:
    from flows.review import Actor, Bench

FromList = Annotated[str | None, Query(alias="list", max_length=2000)]
At = Annotated[int | None, Query(ge=0, le=10_000_000)]
OfClass = Annotated[str, Query(alias="class", max_length=200)]
OfPage = Annotated[int, Query(alias="page", ge=1, le=100_000)]


@dataclass(frozen=True)
class Opened:
    """A specimen on the bench."""

    bench: Bench
    item: queries.Item
    cells: CellFile | None
    film: view.Film | None
    place: Place
    past: Any
    settings: Settings
    query: str

    @property
    def base(self) -> str:
        """Address of the specimen."""
        return address_of(self.bench.study, self.bench.specimen_id)

    @property
    def home(self) -> Path:
        """The home folder."""
        return self.settings.home.resolve()


def address_of(study: str, specimen_id: str) -> str:
    """Address of a specimen's page."""
    return f"/studies/{quote(study, safe='')}/specimens/{quote(specimen_id, safe='')}"


def list_query(listed: str | None, at: int | None, **more: Any) -> str:
    """The part of an address that remembers the list a specimen was opened from."""
    # The list of everything is an empty query, and a list all the same.
    kept = {name: value for name, value in more.items() if value not in (None, "")}
    known = {"list": listed, "at": at} if listed is not None else {}
    return urlencode(
        {name: value for name, value in {**known, **kept}.items() if value is not None}
    )


@dataclass(frozen=True)
class Desk:
    """Which specimen is asked for, from which list, and which of its cells were on the page."""

    study: str
    specimen_id: str
    store: Store
    settings: Settings
    listed: str | None
    at: int | None
    chosen: str
    page: int
    by_script: bool

    def of(self, actor: Actor) -> tuple[Store, Actor, str, str]:
        """What every step of a review begins with."""
        return self.store, actor, self.study, self.specimen_id

    def with_settings(self, actor: Actor) -> tuple[Store, Settings, Actor, str, str]:
        """The same for steps that compute or draw."""
        return self.store, self.settings, actor, self.study, self.specimen_id

    @property
    def address(self) -> str:
        """Address of the page as it was."""
        query = list_query(self.listed, self.at, **{"class": self.chosen, "page": self.page})
        return f"{address_of(self.study, self.specimen_id)}?{query}"


def desk(
    *,
    study: str,
    specimen_id: str,
    store: Database,
    settings: Configured,
    listed: FromList = None,
    at: At = None,
    chosen: OfClass = "",
    page: OfPage = 1,
    hx_request: Annotated[bool, Header()] = False,
) -> Desk:
    """The dependency of every route here."""
    return Desk(study, specimen_id, store, settings, listed, at, chosen, page, hx_request)


AtDesk = Annotated[Desk, Depends(desk)]


def find_specimen(desk: Desk) -> Opened | queries.Item:
    """Everything stored of a specimen; only its line of the list where its row is unreadable.

    Raises
    ------
    HTTPException
        404: there is no such specimen.
    """
    from flows.review import open_bench  # noqa: PLC0415  loads the arrays' library

    item = item_of(desk)
    try:
        bench = open_bench(desk.store, desk.settings, desk.study, desk.specimen_id)
    except UsageError:
        return item
    with desk.store.reading() as session:
        cells = view.cell_file_of(session, item.key, bench.cells_path)
        return Opened(
            bench,
            item,
            cells,
            view.film_of(session, cells, desk.settings),
            find_place(session, item, desk.listed, desk.at),
            history(session, item.key),
            desk.settings,
            list_query(desk.listed, desk.at),
        )


def open_specimen(desk: Desk) -> Opened:
    """Everything stored of a specimen.

    Raises
    ------
    HTTPException
        404: there is no such specimen, or its row cannot be read.
    """
    found = find_specimen(desk)
    if isinstance(found, queries.Item):
        raise HTTPException(404)
    return found


def item_of(desk: Desk) -> queries.Item:
    """The specimen's line of the list.

    Raises
    ------
    HTTPException
        404: there is no such specimen.
    """
    with desk.store.reading() as session:
        item = queries.find_item(session, desk.study, desk.specimen_id)
    if item is None:
        raise HTTPException(404)
    return item


def at_frame(opened: Opened, frame: int | None = None) -> dict[str, int]:
    """The frame to begin with: of the middle, where cells are likelier than at either end."""
    last = max(opened.film.frames - 1, 0) if opened.film else 0
    return {"frame": last // 2 if frame is None else min(frame, last)}


def values_of(opened: Opened, visitor: Visitor, chosen: str = "", page: int = 1) -> dict[str, Any]:
    """What the templates of the bench are given."""
    bench, settings = opened.bench, opened.settings
    content = view.content_of(bench, opened.cells, settings)
    return {
        **view.result_view(bench, content, settings),
        "bench": bench,
        "item": opened.item,
        "base": opened.base,
        "query": opened.query,
        "place": opened.place,
        "past": opened.past,
        "recipe": opened.cells.recipe_id if opened.cells else "",
        "side": settings.ingest.crop_pixels,
        "tabs": shelves.tabs(bench),
        "shelf": shelves.shelf(bench, chosen, page),
        "earlier": [(found, view.earlier_lines(found)) for found in bench.earlier],
        "film": opened.film,
        "two_person": settings.review.two_person_release,
        "may_review": visitor.can(Right.REVIEW),
        "may_sign": visitor.can(Right.SIGN),
        "may_release": _may_release(opened, visitor),
        "state": view.STATE_WORDS.get(bench.state, bench.state),
    }


def _may_release(opened: Opened, visitor: Visitor) -> bool:
    """Whether this person may release now; whoever signed cannot, where two persons must."""
    bench = opened.bench
    if not visitor.can(Right.RELEASE) or bench.state != "reviewed" or not bench.versions:
        return False
    signed = {line.full_name for line in bench.versions[-1].signatures}
    return not opened.settings.review.two_person_release or visitor.full_name not in signed
