"""The application: one factory, reading only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response

from cellcensus import __version__
from cellcensus.errors import StoreError
from cellcensus.settings import Settings
from db.schema import upgrade
from db.store import Store
from web import drawing, routes
from web.guard import Guard

_WORDS = {
    400: ("That request cannot be read", "Go back and try again."),
    404: ("There is no such page", "It may have been withdrawn from its study's sheet."),
    405: ("That cannot be done here", "This application only reads."),
    422: ("That request cannot be read", "Check the dates and numbers in the filter."),
}


def create_app(settings: Settings, *, hosts: Sequence[str] = ("*",)) -> FastAPI:
    """The technicians' application for one home.

    Parameters
    ----------
    settings
        Home folder, database, laboratory, page size.
    hosts
        Host names it answers to; others are refused, so that no foreign page can read through a
        name that points to this machine.
    """

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        upgrade(settings.database_address())
        app.state.store = Store(settings.database_address())
        yield
        app.state.store.close()

    app = FastAPI(
        title="cellcensus",
        version=__version__,
        openapi_url=None,
        lifespan=life,
        middleware=[
            Middleware(Guard, page_of=_failure),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts)),
        ],
    )
    app.state.settings = settings
    app.include_router(routes.router)
    app.add_exception_handler(HTTPException, _refusal)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(StoreError, _no_database)
    return app


def _failure(request: Request, error_id: str) -> Response:
    return drawing.page(
        "error.html",
        status=500,
        title="Something went wrong",
        words="The page could not be drawn. Nothing was changed.",
        action="Try again; if it stays so, give this id to whoever runs the service:",
        error_id=error_id,
    )


def _refusal(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    title, action = _WORDS.get(status, ("That cannot be done", "Go back to the work list."))
    return drawing.page(
        "error.html", status=status, title=title, words="", action=action, error_id=""
    )


def _unreadable(request: Request, error: Exception) -> Response:
    return _refusal(request, HTTPException(422))


def _no_database(request: Request, error: Exception) -> Response:
    step = getattr(error, "next_step", None) or "Try again in a minute."
    return drawing.page(
        "error.html",
        status=503,
        title="The database does not answer",
        words="",
        action=step,
        error_id="",
    )
