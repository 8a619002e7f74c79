"""What the routes take: names, filters, and the things every route needs."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Path, Query
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from cellcensus.errors import UsageError
from db.studies import find_study
from db.tables import Study
from web import queries
from web.api.shapes import Role, State

_TEXT = r"^[^\x00-\x1f\x7f]+$"
StudyName = Annotated[str, Path(max_length=200, pattern=_TEXT, description="Name of the study.")]
SpecimenId = Annotated[
    str, Path(max_length=200, pattern=_TEXT, description="Id of the specimen in its study.")
]
ModelId = Annotated[str, Path(max_length=200, pattern=_TEXT, description="Id of the model.")]
Word = Annotated[str | None, Query(max_length=200, pattern=_TEXT)]


def narrowed(
    *,
    study: Word = None,
    state: State | None = None,
    role: Role | None = None,
    flag: Word = None,
    instrument: Word = None,
    since: Annotated[date | None, Query(description="Recorded on this day or later.")] = None,
    until: Annotated[date | None, Query(description="Recorded on this day or earlier.")] = None,
    words: Annotated[
        str | None,
        Query(max_length=200, pattern=_TEXT, description="Part of a specimen's or donor's id."),
    ] = None,
) -> queries.Filter:
    """The filter of the list of specimens; what is unset narrows nothing."""
    return queries.Filter(
        study or "",
        state or "",
        role or "",
        flag or "",
        instrument or "",
        since,
        until,
        (words or "").strip(),
    )


def study_of(session: Session, name: str) -> Study:
    """The study of that name, or 404."""
    try:
        return find_study(session, name)
    except UsageError:
        raise HTTPException(404) from None


def specimen_of(session: Session, study: str, specimen_id: str) -> queries.Item:
    """The specimen of that study, or 404."""
    item = queries.find_item(session, study_of(session, study).name, specimen_id)
    if item is None:
        raise HTTPException(404)
    return item
