"""Who may pass: every request is known by its visitor, and every change by its token.

:class:`Access` surrounds the application: without a session nothing is answered but the sign-in
page, and no request that may change something passes without a CSRF token, whatever its route.
:func:`may` is how a route says which right it needs; an application with a route that says
nothing does not start.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Iterator
from functools import cache
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi.routing import iter_route_contexts
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from cellcensus.errors import StoreError
from cellcensus.rights import Right
from cellcensus.settings import Settings
from db import sessions
from db.store import Store
from web import cookies, visitor
from web.bodies import TooLargeError, form_field, kept, whole_body
from web.refusals import API, OUT_OF_DATE, ask_to_sign_in, refuse
from web.visitor import Visitor

__all__ = ["Access", "Reader", "SignedIn", "Visitor", "anyone", "may", "rights_of"]

log = logging.getLogger("cellcensus.web")

LOGIN = "/login"
READING = frozenset({"GET", "HEAD", "OPTIONS"})

TokenReader = Callable[[Store, str], Visitor | None]
"""Who holds an API token; set as ``app.state.token_reader`` by whoever offers such tokens."""


class May:
    """A dependency that lets pass who has the right (any who is signed in, where it is none)."""

    def __init__(self, right: Right | None) -> None:
        self.right = right

    async def __call__(self, request: Request) -> Visitor:
        """Give back the visitor."""
        found: Visitor | None = getattr(request.state, "visitor", None)
        if found is None:
            raise HTTPException(401)
        if self.right is not None:
            if found.password_temporary:
                # Chosen by somebody else: nothing is done in this name before it is replaced.
                raise HTTPException(303, headers={"Location": "/account"})
            if not found.can(self.right):
                raise HTTPException(403)
        return found


@cache
def may(right: Right | None = None) -> May:
    """The dependency of a route that needs this right; its value is the :class:`Visitor`."""
    return May(right)


async def anyone() -> None:
    """The dependency of a route that is open to people who are not signed in."""


Reader = Annotated[Visitor, Depends(may(Right.READ))]
SignedIn = Annotated[Visitor, Depends(may())]


class Access:
    """Wraps the application: finds the visitor, and refuses what does not carry its token."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http" or _needs_nobody(scope["path"]):
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        scope.setdefault("state", {})
        found = await _found(request)
        if isinstance(found, Response):
            await found(scope, receive, send)
            return
        scope["state"]["visitor"] = found
        mark = visitor.current.set(found)
        try:
            await self._pass(request, found, send)
        finally:
            visitor.current.reset(mark)

    async def _pass(self, request: Request, found: Visitor | None, send: Send) -> None:
        scope, receive = request.scope, request.receive
        if found is None and request.url.path != LOGIN:
            await ask_to_sign_in(request)(scope, receive, send)
            return
        if request.method not in READING:
            try:
                body = await whole_body(receive)
            except TooLargeError:
                await refuse(request, 413)(scope, receive, send)
                return
            receive = kept(body, receive)
            if not await _has_token(request, found, body):
                await refuse(request, 403, OUT_OF_DATE)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _needs_nobody(path: str) -> bool:
    return path == "/healthz" or path.startswith("/static/")


async def _found(request: Request) -> Visitor | Response | None:
    try:
        return await run_in_threadpool(find_visitor, request)
    except StoreError as error:
        action = error.next_step or "Try again in a minute."
        return refuse(request, 503, ("The database does not answer", action))


def find_visitor(request: Request) -> Visitor | None:
    """Who sent this request: by the session of the browser, or by an API token.

    Raises
    ------
    StoreError
        The database does not answer.
    """
    if is_local_monitor(request):
        return MONITOR
    store: Store = request.app.state.store
    token = _bearer(request)
    if token is not None:
        reader: TokenReader | None = getattr(request.app.state, "token_reader", None)
        return reader(store, token) if reader else None
    cookie = cookies.read(request, cookies.SESSION)
    return _of_session(store, request.app.state.settings, cookie) if cookie else None


MONITOR = Visitor(0, "monitor", "Monitor", "viewer", "", narrowed_to=frozenset({Right.READ}))
"""Whoever reads the figures of the service on the machine that it runs on."""


def is_local_monitor(request: Request) -> bool:
    """Whether a program on this machine asks for /metrics, and the settings let it.

    What came through a proxy is not from this machine, though the proxy may be.
    """
    settings: Settings = request.app.state.settings
    if not (settings.web.open_metrics and request.url.path == "/metrics"):
        return False
    passed_on = "forwarded" in request.headers or "x-forwarded-for" in request.headers
    host = request.client.host if request.client else ""
    return request.method == "GET" and not passed_on and host in ("127.0.0.1", "::1")


def _bearer(request: Request) -> str | None:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    is_one = kind.lower() == "bearer" and request.url.path.startswith(API)
    return token.strip() if is_one else None


def _of_session(store: Store, settings: Settings, token: str) -> Visitor | None:
    with store.reading() as session:
        found = sessions.find_session(session, token, settings.access)
    if found is None:
        return None
    account, login = found
    if sessions.is_touch_due(login, settings.access):
        with store.unit_of_work() as session:
            sessions.touch(session, login.key)
            session.commit()
    return Visitor(
        account.key,
        account.name,
        account.full_name,
        account.role,
        login.csrf,
        account.password_temporary,
    )


async def _has_token(request: Request, found: Visitor | None, body: bytes) -> bool:
    if found is not None and _bearer(request) is not None:
        return True  # no browser adds such a header by itself
    if request.url.path == LOGIN:  # nobody yet: the page's own cookie stands for the session
        expected = cookies.read(request, cookies.ASKED)
    else:
        expected = found.csrf if found else None
    given = request.headers.get("x-csrf-token") or await form_field(request, body, "csrf")
    return bool(expected and given) and hmac.compare_digest(
        str(expected).encode(), str(given).encode()
    )


def rights_of(route: Any) -> list[Right | None] | None:
    """The rights a route declares: none at all is ``None``; open to anyone is an empty list."""
    calls = [dependant.call for dependant in _all_of(route.dependant)] if _is_ours(route) else []
    if any(call is anyone for call in calls):
        return []
    return [call.right for call in calls if isinstance(call, May)] or None


def check_declared(app: FastAPI) -> None:
    """Refuse to start with a route that does not say who may use it."""
    for route in iter_route_contexts(app.routes):
        if rights_of(route) is None:
            raise RuntimeError(f"{route.path} does not declare its right: see web.access.may")


def _is_ours(route: Any) -> bool:
    return getattr(route, "dependant", None) is not None


def _all_of(dependant: Any) -> Iterator[Any]:
    for inner in dependant.dependencies:
        yield inner
        yield from _all_of(inner)
