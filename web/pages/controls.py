"""Control charts of each instrument."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from db.controls import instruments
from flows.controls import charts_of
from reports.control import FEWEST, FIRST, RULES
from web import drawing
from web.pages.place import Database, Reader

router = APIRouter(default_response_class=HTMLResponse)


@router.get("/controls")
def controls_page(
    store: Database,
    _visitor: Reader,
    *,
    instrument: Annotated[str | None, Query(max_length=200)] = None,
    since: date | Literal[""] = "",
) -> Response:
    """Levey–Jennings charts with Westgard's rules, and moving averages of patients' values."""
    with store.reading() as session:
        known = instruments(session)
        names = [name for name, _ in known]
        if instrument is not None and instrument not in names:
            raise HTTPException(404)
        chosen = instrument if instrument is not None else next(iter(names), None)
        return drawing.page(
            "pages/controls.html",
            here="controls",
            instruments=known,
            chosen=chosen,
            charts=charts_of(session, chosen, since or None) if chosen is not None else None,
            since=since or None,
            rules=RULES,
            first=FIRST,
            fewest=FEWEST,
        )
