"""A short tour: what is where, on the studies that are here."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse, Response

from db.registry import champions
from db.studies import study_names
from web import drawing, queries
from web.pages.place import Database, Reader

router = APIRouter(default_response_class=HTMLResponse)

DEMO = "demo"


@router.get("/tour")
def tour_page(store: Database, _visitor: Reader) -> Response:
    """Seven steps with links to the real pages; of the demo study where there is one."""
    with store.reading() as session:
        names = study_names(session)
        study = DEMO if DEMO in names else next(iter(names), None)
        return drawing.page(
            "pages/tour.html",
            here="tour",
            study=study,
            is_demo=study == DEMO,
            specimen=_specimen(session, study) if study else None,
            champion=next(iter(champions(session)), None),
        )


def _specimen(session: Session, study: str) -> str | None:
    narrowed = queries.Filter(study=study, state="predicted", role="unknown")
    page = queries.work_list(session, narrowed, 1, 1)
    return page.items[0].specimen_id if page.items else None
