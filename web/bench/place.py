"""Where a specimen stands in the work list it was opened from, so that a list is worked through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from urllib.parse import parse_qsl, quote, urlencode

from sqlalchemy.orm import Session

from web import queries
from web.queries import REVIEW_STATES, SORTS, STATES, Filter, Item

#: Rows of the list that are looked at around a specimen.
_AROUND = 40
_CHOICES = {"state": STATES, "review": REVIEW_STATES, "role": queries.ROLES, "sort": tuple(SORTS)}


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a list: the list as a query, the place from 0, and addresses beside it."""

    query: str
    at: int
    before: str = ""
    after: str = ""
    before_id: str = ""
    after_id: str = ""


def listed(query: str) -> Filter:
    """The list that a query asks for; what cannot be read in it narrows nothing."""
    values = {name: value[:200] for name, value in parse_qsl(query)}
    known = {name: values.get(name, "") for name in ("study", "flag", "instrument", "words")}
    chosen = {
        name: values[name] if values.get(name) in choices else ""
        for name, choices in _CHOICES.items()
    }
    return Filter(**known, **chosen, since=_day(values, "since"), until=_day(values, "until"))


def find_place(session: Session, item: Item, query: str | None, at: int | None) -> Place:
    """Where ``item`` stands in the list; in its study by name where it came from no list."""
    narrowed = listed(query) if query is not None else Filter(study=item.study, sort="specimen")
    text = urlencode(narrowed.as_query())
    around = _items(session, narrowed, at)
    index = next((i for i, (_, other) in enumerate(around) if other.key == item.key), None)
    if index is None:
        # It has left the list since: what stands in its place now comes next.
        before = next((pair for pair in reversed(around) if pair[0] < (at or 0)), None)
        after = next((pair for pair in around if pair[0] >= (at or 0)), None)
        return _place(text, at or 0, before, after)
    before = around[index - 1] if index else None
    after = around[index + 1] if index + 1 < len(around) else None
    return _place(text, around[index][0], before, after)


def next_to_sign(session: Session, item: Item, query: str | None, at: int | None) -> str:
    """Address of the next specimen of the list that waits for a signature; empty if none does."""
    if query is None:
        return ""
    narrowed = listed(query)
    start = at or 0
    following = queries.stretch(session, narrowed, max(start - _AROUND, 0), 3 * _AROUND, full=True)
    keys = [other.key for other in following]
    after = following[keys.index(item.key) + 1 :] if item.key in keys else following
    text = urlencode(narrowed.as_query())
    ready = (other for other in after if other.review == "open" and other.state == "predicted")
    found = next(ready, None)
    return address(found, text, start) + "&signing=1" if found else ""


def address(item: Item, query: str, at: int) -> str:
    """Address of a specimen's page that remembers the list."""
    path = f"/studies/{quote(item.study, safe='')}/specimens/{quote(item.specimen_id, safe='')}"
    return f"{path}?{urlencode({'list': query, 'at': at})}"


def _items(session: Session, narrowed: Filter, at: int | None) -> list[tuple[int, Item]]:
    first = max((at or 0) - _AROUND, 0)
    # Without a place the whole list is searched: of one study, which is short.
    size = 2 * _AROUND + 1 if at is not None else 100_000
    return list(enumerate(queries.stretch(session, narrowed, first, size), start=first))


def _place(
    query: str, at: int, before: tuple[int, Item] | None, after: tuple[int, Item] | None
) -> Place:
    return Place(
        query,
        at,
        address(before[1], query, before[0]) if before else "",
        address(after[1], query, after[0]) if after else "",
        before[1].specimen_id if before else "",
        after[1].specimen_id if after else "",
    )


def _day(values: dict[str, str], name: str) -> date | None:
    try:
        return date.fromisoformat(values[name]) if values.get(name) else None
    except ValueError:
        return None
