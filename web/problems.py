"""What a machine is told that cannot have what it asked for: RFC 9457, with an id and no trace."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger("cellcensus.web")


class WrongField(BaseModel):
    """A part of the request that cannot be used."""

    where: str = Field(description="Its place: `query`, `path` …, and its name.")
    message: str = Field(description="What is wrong with it.")


class Problem(BaseModel):
    """Why a request was not answered (RFC 9457)."""

    type: str = Field("about:blank", description="Always `about:blank`: the status says the kind.")
    title: str = Field(description="What happened, for people.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What to do about it.")
    id: str = Field(description="Names this one event in the service's log.")
    errors: list[WrongField] = Field([], description="What is wrong with the request, if anything.")


def problem(
    request: Request,
    status: int,
    title: str,
    detail: str,
    *,
    error_id: str | None = None,
    errors: Sequence[WrongField] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """An answer in the form of :class:`Problem`; its id stands in the log, without the address."""
    made = Problem(
        title=title,
        status=status,
        detail=detail,
        id=error_id or uuid4().hex[:12],
        errors=list(errors),
    )
    if error_id is None:
        route = getattr(request.scope.get("route"), "path", "?")
        log.info("problem %s: %s in %s %s", made.id, status, request.method, route)
    return JSONResponse(
        made.model_dump(), status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {})
    )


def wrong_fields(errors: Sequence[Any]) -> list[WrongField]:
    """What a validation of FastAPI found, without the values that were sent."""
    return [
        WrongField(where=".".join(str(part) for part in error["loc"]), message=error["msg"])
        for error in errors
    ]
