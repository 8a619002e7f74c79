"""The programming interface as a part of the application."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from starlette.responses import JSONResponse

from cellcensus.rights import Right
from web.access import may
from web.api import documents, lists, specimens
from web.api.bearer import read_token
from web.api.description import describe

PREFIX = "/api/v1"

_versioned = APIRouter(prefix=PREFIX)
for _part in (lists, specimens, documents):
    _versioned.include_router(_part.router)


@cache
def description() -> dict[str, Any]:
    """The OpenAPI document of this version of the interface."""
    return describe(_versioned.routes)


_description = APIRouter(prefix=PREFIX, dependencies=[Depends(may(Right.READ))])


@_description.get("/openapi.json", include_in_schema=False)
def get_description() -> JSONResponse:
    """The description of this interface."""
    return JSONResponse(description())


def install(app: FastAPI) -> None:
    """Add the interface to the application, and let its tokens in."""
    app.include_router(_versioned)
    app.include_router(_description)
    app.state.token_reader = read_token
