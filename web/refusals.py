"""What somebody is told who cannot have what was asked for: in words on a page, or as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from web import drawing
from web.problems import WrongField, problem

API = "/api/"
WORDS = {
    400: ("That request cannot be read", "Go back and try again."),
    401: ("You are not signed in", "Sign in and try again."),
    403: (
        "Your role does not allow that",
        "Ask whoever manages the accounts if it should. Nothing was changed.",
    ),
    404: (
        "There is no such page",
        "Check the address. What it named may have been withdrawn from its study's sheet.",
    ),
    405: ("That cannot be done here", "Go back and try again."),
    409: ("Somebody else was there first", "Reload the page and look again."),
    413: ("That is too large", "Send less at a time."),
    422: ("That request cannot be read", "Check the dates and numbers in the filter."),
    429: ("Too many attempts", "Wait a quarter of an hour and try again."),
}
OUT_OF_DATE = (
    "This page is out of date",
    "Nothing was changed. Go back, reload the page and do it again.",
)


def refuse(
    request: Request,
    status: int,
    words: tuple[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[WrongField] = (),
) -> Response:
    """Say why not: ``words`` are a title and what to do now, ``errors`` what a machine is told."""
    title, action = words or WORDS.get(status, ("That cannot be done", "Go back to the work list."))
    answer: Response
    if is_for_machines(request):
        answer = problem(request, status, title, action, errors=errors)
    else:
        answer = drawing.page(
            "error.html", status=status, title=title, words="", action=action, error_id=""
        )
    answer.headers.update(headers or {})
    return answer


def ask_to_sign_in(request: Request) -> Response:
    """Lead to the sign-in page, and from there back to where the person is now."""
    if is_for_machines(request):
        return refuse(request, 401, headers={"WWW-Authenticate": "Bearer"})
    if request.headers.get("hx-request"):
        here = urlsplit(request.headers.get("hx-current-url", ""))
        address = sign_in_address(here.path, here.query)
        return refuse(request, 401, headers={"HX-Redirect": address})
    reads = request.method in ("GET", "HEAD")
    address = sign_in_address(request.url.path, request.url.query) if reads else sign_in_address()
    return RedirectResponse(address, status_code=303)


def sign_in_address(path: str = "", query: str = "") -> str:
    """Address of the sign-in page that leads back to ``path``."""
    back = f"{path}?{query}" if query else path
    return f"/login?{urlencode({'next': back})}" if back not in ("", "/") else "/login"


def is_for_machines(request: Request) -> bool:
    """Whether the answer is read by a program."""
    return request.url.path.startswith(API)
