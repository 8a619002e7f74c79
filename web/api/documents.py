"""Route: a specimen's report as a document: a page, paper, FHIR or HL7."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cellcensus.rights import Right
from cellcensus.settings import Settings
from flows.documents import content_of, page_of, paper_of
from reports.fhir import bundle
from reports.hl7 import message
from web.access import may
from web.api.asked import SpecimenId, StudyName, specimen_of
from web.given import Configured, Database

router = APIRouter(dependencies=[Depends(may(Right.READ))], tags=["reports"])

Format = Literal["html", "pdf", "fhir", "hl7"]
TYPES: dict[Format, str] = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "fhir": "application/fhir+json",
    "hl7": "application/hl7-v2; charset=utf-8",
}
_CONTENT = {
    kind.split(";")[0]: {"schema": {"type": "object" if "json" in kind else "string"}}
    for kind in TYPES.values()
}


@router.get(
    "/specimens/{study}/{specimen_id}/report",
    response_class=Response,
    responses={200: {"description": "The report.", "content": _CONTENT}},
)
def get_report(
    study: StudyName,
    specimen_id: SpecimenId,
    store: Database,
    settings: Configured,
    form: Annotated[
        Format, Query(alias="format", description="Which form of the report.")
    ] = "fhir",
) -> Response:
    """The released report of a specimen; before its release, a preliminary one that says so.

    404 where nothing was predicted, or where this form of it does not exist.
    """
    with store.reading() as session:
        key = specimen_of(session, study, specimen_id).key
        made = _FORMS[form](session, settings, key)
    if made is None:
        raise HTTPException(404)
    return Response(made, media_type=TYPES[form])


def _fhir(session: Session, settings: Settings, specimen_key: int) -> bytes | None:
    found = content_of(session, settings, specimen_key)
    return found and json.dumps(bundle(*found), ensure_ascii=False, allow_nan=False).encode()


def _hl7(session: Session, settings: Settings, specimen_key: int) -> bytes | None:
    found = content_of(session, settings, specimen_key)
    return found and message(*found).encode()


_FORMS: dict[Format, Callable[[Session, Settings, int], bytes | None]] = {
    "html": page_of,
    "pdf": paper_of,
    "fhir": _fhir,
    "hl7": _hl7,
}
