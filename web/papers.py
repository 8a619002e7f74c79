"""Reports as PDF: the file that was written or signed, or drawn on request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cellcensus.errors import UsageError
from cellcensus.rights import Right
from cellcensus.settings import Language
from db.store import Store
from flows.papers import specimen_paper, study_paper, version_paper
from flows.paths import safe_name
from web.access import may
from web.given import Configured, Database

router = APIRouter(dependencies=[Depends(may(Right.READ))])

Asked = Annotated[Language | None, Query(description="Another language than that of the settings.")]

Number = Annotated[int, Path(ge=1, le=1_000_000)]


@router.get("/studies/{study}/report.pdf")
def study_report(
    study: str, store: Database, settings: Configured, language: Asked = None
) -> Response:
    """The report of a study."""
    return _paper(store, study, lambda session: study_paper(session, settings, study, language))


@router.get("/studies/{study}/specimens/{specimen_id}/report.pdf")
def specimen_report(
    study: str, specimen_id: str, store: Database, settings: Configured, language: Asked = None
) -> Response:
    """The report of a specimen: the signed one where one was released."""
    return _paper(
        store,
        specimen_id,
        lambda session: specimen_paper(session, settings, study, specimen_id, language),
    )


@router.get("/studies/{study}/specimens/{specimen_id}/versions/{number}/report.pdf")
def version_report(
    study: str, specimen_id: str, number: Number, store: Database, language: Asked = None
) -> Response:
    """One signed version of a specimen's report."""
    return _paper(
        store,
        f"{specimen_id}.v{number}",
        lambda session: version_paper(session, study, specimen_id, number, language),
    )


def _paper(store: Store, name: str, draw: Callable[[Session], bytes | None]) -> Response:
    with store.reading() as session:
        try:
            pdf = draw(session)
        except UsageError:
            raise HTTPException(404) from None
    if pdf is None:
        raise HTTPException(404)
    shown = f"inline; filename*=UTF-8''{quote(safe_name(name), safe='')}.pdf"
    return Response(pdf, media_type="application/pdf", headers={"Content-Disposition": shown})
