"""The application: one factory."""

from __future__ import annotations

import logging
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
from cellcensus.errors import AlteredError, StoreError, UsageError
from cellcensus.settings import Settings
from db.schema import upgrade
from db.settings_trail import note_settings
from db.store import Store
from web import account, drawing, papers, people, routes, signin, tokens, trail
from web.access import Access, check_declared
from web.api.install import install
from web.bench import actions as bench_actions
from web.bench import pages as bench_pages
from web.bench.film import Films
from web.guard import Guard
from web.heads import Heads
from web.pages import ROUTERS
from web.problems import problem, wrong_fields
from web.refusals import is_for_machines, refuse
from web.throttle import FailureLimit

log = logging.getLogger("cellcensus.web")


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
        check_declared(app)
        app.state.store = Store(settings.database_address())
        with app.state.store.unit_of_work() as session:
            if note_settings(session, "access", settings.access.model_dump(mode="json")):
                session.commit()
        app.state.films = Films()
        yield
        app.state.films.close()
        app.state.store.close()

    app = FastAPI(
        title="cellcensus",
        version=__version__,
        openapi_url=None,
        lifespan=life,
        middleware=[
            Middleware(Heads),
            Middleware(Guard, page_of=_failure),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts)),
            Middleware(Access),
        ],
    )
    app.state.settings = settings
    app.state.failure_limit = FailureLimit(settings.access.address_attempts)
    for part in (signin, account, tokens, people, trail, papers):
        app.include_router(part.router)
    app.include_router(routes.router)
    for router in ROUTERS:
        app.include_router(router)
    app.include_router(bench_pages.router)
    app.include_router(bench_actions.router)
    install(app)
    app.add_exception_handler(HTTPException, _refusal)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(UsageError, _wrong_use)
    app.add_exception_handler(AlteredError, _altered)
    app.add_exception_handler(StoreError, _no_database)
    return app


def _failure(request: Request, error_id: str) -> Response:
    if is_for_machines(request):
        detail = "Try again; if it stays so, give the id to whoever runs the service."
        return problem(request, 500, "Something went wrong", detail, error_id=error_id)
    return drawing.page(
        "error.html",
        status=500,
        title="Something went wrong",
        words="The page could not be drawn. Nothing was changed.",
        action="Try again; if it stays so, give this id to whoever runs the service:",
        error_id=error_id,
    )


def _refusal(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return refuse(request, 500)
    if 300 <= error.status_code < 400:
        return Response(status_code=error.status_code, headers=error.headers)
    return refuse(request, error.status_code, headers=error.headers)


def _unreadable(request: Request, error: Exception) -> Response:
    errors = error.errors() if isinstance(error, RequestValidationError) else ()
    return refuse(request, 422, errors=wrong_fields(errors))


def _wrong_use(request: Request, error: Exception) -> Response:
    step = getattr(error, "next_step", None) or "Go back and try again."
    return refuse(request, 422, ("That cannot be done", step))


def _altered(request: Request, error: Exception) -> Response:
    log.error("a signed report is not what was signed; it was not shown")
    words = getattr(error, "message", "it is not what was signed any more")
    step = getattr(error, "next_step", None) or "tell whoever runs the service"
    action = f"{words[:1].upper()}{words[1:]}. {step[:1].upper()}{step[1:]}."
    return refuse(request, 409, ("This is not the report that was signed", action))


def _no_database(request: Request, error: Exception) -> Response:
    step = getattr(error, "next_step", None) or "Try again in a minute."
    return refuse(request, 503, ("The database does not answer", step))
