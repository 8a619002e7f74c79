"""What a request carries: read once, with a limit, and handed on."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive

LARGEST = 2 * 1024 * 1024  # bytes; the application's own forms are some hundred
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class TooLargeError(Exception):
    """The body is larger than :data:`LARGEST`."""


async def whole_body(receive: Receive) -> bytes:
    """Everything the request carries.

    Raises
    ------
    TooLargeError
        It is more than :data:`LARGEST`; the rest was not read.
    """
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST:
            raise TooLargeError
        more = message.get("more_body", False)
    return b"".join(parts)


def kept(body: bytes, receive: Receive) -> Receive:
    """A channel that gives the body once more, and then what comes after it."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def form_field(request: Request, body: bytes, name: str) -> str | None:
    """One text field of a form; ``None`` where there is none, or no form."""
    if not request.headers.get("content-type", "").lower().startswith(_FORMS):
        return None
    copy = Request(dict(request.scope), kept(body, request.receive))
    try:
        async with copy.form() as form:
            value = form.get(name)
    except HTTPException:  # it cannot be read as the form it says it is
        return None
    return value if isinstance(value, str) else None
