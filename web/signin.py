"""Signing in and out."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cellcensus.settings import Settings
from db.accounts import is_empty
from db.sessions import Begun, end_session
from db.store import Store
from flows.signin import sign_in
from web import cookies, drawing
from web.access import anyone
from web.refusals import refuse
from web.throttle import FailureLimit
from web.visitor import current

router = APIRouter(default_response_class=HTMLResponse, dependencies=[Depends(anyone)])

FAILURE_TAKES_S = 0.8
"""A failure is answered no sooner, so that its time says nothing about the name."""
WRONG = (
    "The name or the password is wrong. After several failures an account waits for a while, "
    "even for the right password."
)

Next = Annotated[str, Query(alias="next", max_length=2000)]


@router.get("/login")
def login_page(request: Request, back: Next = "/") -> Response:
    """The form; without any account, how to make the first one."""
    if current.get() is not None:
        return RedirectResponse(safe_next(back), status_code=303)
    return _form(request, safe_next(back))


@router.post("/login")
async def login(
    request: Request,
    name: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=2000)] = "",
    back: Annotated[str, Form(alias="next", max_length=2000)] = "/",
) -> Response:
    """Begin a session, or say that it was not right."""
    began = time.monotonic()
    limit: FailureLimit = request.app.state.failure_limit
    address = request.client.host if request.client else ""
    if not limit.begin(address):
        return refuse(request, 429, headers={"Retry-After": "900"})
    begun = await run_in_threadpool(_begin, request, name, password)
    if begun is None:
        await asyncio.sleep(max(0.0, FAILURE_TAKES_S - (time.monotonic() - began)))
        return _form(request, safe_next(back), name=name, wrong=WRONG)
    limit.succeeded(address)
    answer = RedirectResponse(safe_next(back), status_code=303)
    cookies.put(request, answer, cookies.SESSION, begun.token)
    cookies.drop(request, answer, cookies.ASKED)
    return answer


@router.post("/logout")
def logout(request: Request) -> Response:
    """End the session, on the server too."""
    store: Store = request.app.state.store
    token = cookies.read(request, cookies.SESSION)
    if token:
        with store.unit_of_work() as session:
            end_session(session, token)
            session.commit()
    answer = RedirectResponse("/login", status_code=303)
    cookies.drop(request, answer, cookies.SESSION)
    # Pages kept by the browser go with the session.
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


def safe_next(given: str) -> str:
    """Where to go after signing in: a page of this application, whatever was asked for."""
    is_ours = given.startswith("/") and not given.startswith("//")
    if not is_ours or "\\" in given or not given.isprintable():
        return "/"
    return "/" if given.partition("?")[0] in ("/login", "/logout") else given


def _begin(request: Request, name: str, password: str) -> Begun | None:
    settings: Settings = request.app.state.settings
    earlier = cookies.read(request, cookies.SESSION)
    store: Store = request.app.state.store
    return sign_in(store, settings.access, name, password, earlier=earlier)


def _form(request: Request, back: str, *, name: str = "", wrong: str = "") -> Response:
    store: Store = request.app.state.store
    with store.reading() as session:
        empty = is_empty(session)
    asked = cookies.read(request, cookies.ASKED) or secrets.token_urlsafe(32)
    answer = drawing.page(
        "login.html",
        status=401 if wrong else 200,
        empty=empty,
        asked=asked,
        back=back,
        name=name,
        wrong=wrong,
    )
    cookies.put(request, answer, cookies.ASKED, asked)
    return answer
