"""The audit page: every change, narrowed and in pages."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import HTMLResponse, Response

from cellcensus.rights import Right
from db import trail
from db.audit import head
from db.settings_trail import changes
from db.trail import Wanted
from web import drawing
from web.access import may
from web.given import Configured, Database

router = APIRouter(default_response_class=HTMLResponse, dependencies=[Depends(may(Right.AUDIT))])
Short = Annotated[str, Query(max_length=200)]


@router.get("/audit")
def audit_page(
    store: Database,
    settings: Configured,
    *,
    subject: Short = "",
    actor: Short = "",
    action: Short = "",
    since: date | Literal[""] = "",
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:
    """Changes, newest first."""
    moment = datetime.combine(since, time(), UTC) if since else None
    wanted = Wanted(subject.strip(), actor.strip(), action.strip(), moment)
    size = settings.web.page_size
    with store.reading() as session:
        total = trail.count(session, wanted)
        pages = max(1, -(-total // size))
        number = min(page, pages)
        found = trail.entries(session, wanted, limit=size, offset=(number - 1) * size)
        newest = head(session)
    asked = {"subject": subject, "actor": actor, "action": action, "since": str(since)}
    return drawing.page(
        "audit.html",
        here="audit",
        entries=[(entry, changes(entry.before, entry.after)) for entry in found],
        asked=asked,
        query={name: value for name, value in asked.items() if value},
        total=total,
        number=number,
        pages=pages,
        head=newest,
    )
