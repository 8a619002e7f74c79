"""What every page here is given: the database, the settings, the visitor, a reason."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Form
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cellcensus.errors import CellcensusError, UsageError
from cellcensus.rights import Right
from db.studies import find_study
from db.tables import Study
from web.access import Visitor, may
from web.drawing import environment
from web.given import Configured, Database
from web.refusals import refuse

__all__ = [
    "Configured",
    "Curator",
    "Database",
    "ModelKeeper",
    "Reader",
    "Reason",
    "Runner",
    "go_to",
    "say_no",
    "study_address",
    "study_row",
]

Reader = Annotated[Visitor, Depends(may(Right.READ))]
Runner = Annotated[Visitor, Depends(may(Right.RUN))]
ModelKeeper = Annotated[Visitor, Depends(may(Right.MODELS))]
Curator = Annotated[Visitor, Depends(may(Right.QUARANTINE))]

Reason = Annotated[str, Form(max_length=1000)]


def study_row(session: Session, name: str) -> Study:
    """The study of that name, or the page that says there is none."""
    try:
        return find_study(session, name)
    except UsageError:
        raise HTTPException(404) from None


def study_address(name: str) -> str:
    """Address of a study's page."""
    return f"/studies/{environment().filters['part'](name)}/"


def go_to(address: str) -> Response:
    """After a change: look at the page again, so that reloading does not repeat it."""
    return RedirectResponse(address, status_code=303)


def say_no(request: Request, error: CellcensusError, status: int = 409) -> Response:
    """A page that says why nothing was changed, and what to do."""
    message = error.message[:1].upper() + error.message[1:]
    return refuse(request, status, (message, error.next_step or "Go back and look again."))
