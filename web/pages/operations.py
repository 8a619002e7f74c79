"""The service itself: what runs, what waits, when it last went well, and the room that is left."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from db import figures, jobs
from db.runs import latest_runs
from flows.doctor import Verdict, examine_service
from flows.jobs import KINDS
from flows.status import status_in
from web import drawing
from web.pages.metrics import metrics_text
from web.pages.place import Configured, Database, Reader

router = APIRouter(default_response_class=HTMLResponse)

_RUNS = 25


@router.get("/service")
def service_page(store: Database, settings: Configured, _visitor: Reader) -> Response:
    """How the service is."""
    checks = examine_service(settings)
    with store.reading() as session:
        return drawing.page(
            "pages/service.html",
            here="service",
            now=status_in(session, settings.home.resolve(), store.address),
            checks=checks,
            wrong=[check for check in checks if check.verdict is not Verdict.OK],
            successes=figures.last_successes(session),
            runs=latest_runs(session, _RUNS),
            standing=jobs.standing(session),
            kinds=KINDS,
        )


@router.get("/metrics")
def metrics(store: Database, settings: Configured, _visitor: Reader) -> Response:
    """The figures for Prometheus, for people and for programs on this machine."""
    return _figures(store, settings)


@router.get("/api/metrics")
def metrics_by_token(store: Database, settings: Configured, _visitor: Reader) -> Response:
    """The same for a program elsewhere that holds a token."""
    return _figures(store, settings)


def _figures(store: Database, settings: Configured) -> Response:
    text = metrics_text(store, settings)
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")
