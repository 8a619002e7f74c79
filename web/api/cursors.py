"""Cursors: where the next page of a list begins, in a form that nobody takes for a number."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated

from fastapi import Query
from fastapi.exceptions import RequestValidationError

Cursor = Annotated[
    str | None,
    Query(max_length=40, description="`next` of the page before; unset: the first page."),
]
Limit = Annotated[int, Query(ge=1, le=500, description="Most items on a page.")]

_LARGEST = 2**31 - 1  # of a key in the database


def cursor_at(place: int) -> str:
    """The cursor of a list that goes on after ``place``."""
    return urlsafe_b64encode(f"after:{place}".encode()).decode().rstrip("=")


def place_of(cursor: str | None, first: int = 0) -> int:
    """The place a cursor stands for; ``first`` without one.

    Raises
    ------
    RequestValidationError
        It was not made by :func:`cursor_at`.
    """
    if cursor is None:
        return first
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        word, _, digits = text.partition(":")
        place = int(digits) if word == "after" and digits.isdecimal() else -1
    except ValueError:
        place = -1
    if not 0 <= place <= _LARGEST or cursor_at(place) != cursor:
        found = {"loc": ("query", "cursor"), "msg": "is not the `next` of a page", "type": "value"}
        raise RequestValidationError([found])
    return place
