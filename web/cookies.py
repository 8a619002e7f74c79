"""The two cookies: who is signed in, and which sign-in page was asked for."""

from __future__ import annotations

from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from cellcensus.settings import Settings

SESSION = "cellcensus_session"
ASKED = "cellcensus_asked"
# A link in a mail or in the laboratory's system must find the person signed in: hence not
# "strict" for the session. No change goes without a token that other sites do not know anyway.
_SAME_SITE: dict[str, Literal["lax", "strict"]] = {SESSION: "lax", ASKED: "strict"}


def read(request: Request, name: str) -> str | None:
    """The cookie's value, if the browser sent one."""
    return request.cookies.get(_full_name(request, name))


def put(request: Request, answer: Response, name: str, value: str) -> None:
    """Let the browser keep a value until it is closed; scripts cannot read it."""
    answer.set_cookie(
        _full_name(request, name),
        value,
        httponly=True,
        samesite=_SAME_SITE[name],
        secure=_secure(request),
        path="/",
    )


def drop(request: Request, answer: Response, name: str) -> None:
    """Let the browser forget it."""
    answer.delete_cookie(
        _full_name(request, name),
        httponly=True,
        samesite=_SAME_SITE[name],
        secure=_secure(request),
        path="/",
    )


def _secure(request: Request) -> bool:
    settings: Settings = request.app.state.settings
    return settings.access.secure_cookies or request.url.scheme == "https"


def _full_name(request: Request, name: str) -> str:
    # With this prefix no neighbouring host and no http answer can plant the cookie.
    return f"__Host-{name}" if _secure(request) else name
