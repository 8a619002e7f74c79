"""Cursors: where the next page of a list begins."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

_WORD = "after-"
Cursor = Annotated[
    str | None,
    Query(
        pattern=f"^{_WORD}[0-9]{{1,9}}$",
        description="`next` of the page before; unset: the first page.",
    ),
]
Limit = Annotated[int, Query(ge=1, le=500, description="Most items on a page.")]


def cursor_at(place: int) -> str:
    """The cursor of a list that goes on after ``place``."""
    return f"{_WORD}{place}"


def place_of(cursor: str | None) -> int:
    """The place a cursor stands for; 0 without one."""
    return 0 if cursor is None else int(cursor.removeprefix(_WORD))
