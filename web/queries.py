"""What the pages ask the database: read-only, one page of rows at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from math import nan
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from db.predictions import IN_FORCE
from db.tables import (
    CellFile,
    Finding,
    ModelVersion,
    Prediction,
    Review,
    Specimen,
    SpecimenRevision,
    Study,
)
from web import standing
from web.standing import REVIEW_STATES, STATES

ROLES = ("unknown", "mixed", "control", "purified", "blank")
SORTS = {
    "need": "most urgent first",
    "newest": "newest first",
    "oldest": "oldest first",
    "specimen": "by specimen",
    "donor": "by donor",
}
__all__ = ["REVIEW_STATES", "ROLES", "SORTS", "STATES", "Filter", "Item", "Page", "work_list"]


@dataclass(frozen=True, slots=True)
class Filter:
    """What the work list is narrowed to and in which order; empty = everything."""

    study: str = ""
    state: str = ""
    role: str = ""
    flag: str = ""
    instrument: str = ""
    since: date | None = None
    until: date | None = None
    words: str = ""
    review: str = ""
    sort: str = ""

    def as_query(self) -> dict[str, str]:
        """The filter as query parameters, empty ones left out."""
        values = {
            "study": self.study,
            "state": self.state,
            "review": self.review,
            "role": self.role,
            "flag": self.flag,
            "instrument": self.instrument,
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
            "words": self.words,
            "sort": self.sort,
        }
        return {name: value for name, value in values.items() if value}


@dataclass(slots=True)
class Item:
    """One specimen of the work list; without donor and role where its row could not be read."""

    key: int
    study: str
    specimen_id: str
    donor_id: str = "–"
    role: str = "–"
    state: str = ""
    acquired_at: datetime | None = None
    instrument_id: str | None = None
    cells: int | None = None
    total_per_ul: float = nan
    flags: tuple[str, ...] = ()
    reason: str = ""
    review: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the work list; ``first`` is the place of its first row in the whole list."""

    items: list[Item]
    number: int
    pages: int
    total: int
    first: int = 0


@dataclass(frozen=True, slots=True)
class StudyItem:
    """One study, with how many specimens it has in each state."""

    name: str
    created_at: datetime
    states: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All specimens of the study's sheet."""
        return sum(self.states.values())


def work_list(session: Session, narrowed: Filter, number: int, size: int) -> Page:
    """Specimens in order; ``number`` counts pages from 1 and is kept within what there is."""
    asked = _ask(session, narrowed)
    total = session.scalar(select(func.count()).select_from(asked.query.subquery())) or 0
    pages = max(-(-total // size), 1)
    number = min(max(number, 1), pages)
    first = (number - 1) * size
    items = _read(session, _page_of_keys(session, asked, first, size))
    _fill_in(session, items)
    return Page(items, number, pages, total, first)


def stretch(
    session: Session, narrowed: Filter, first: int, size: int, *, full: bool = False
) -> list[Item]:
    """Specimens of the list from place ``first`` (from 0) on; states and flags only if ``full``."""
    items = _read(session, _page_of_keys(session, _ask(session, narrowed), first, size))
    if full:
        _fill_in(session, items)
    return items


def after(session: Session, narrowed: Filter, key: int, size: int) -> list[Item]:
    """At most ``size`` specimens that became known after the one with this key, in that order."""
    known_after = _ask(session, narrowed).query.where(Specimen.key > key)
    items = _read(session, session.scalars(known_after.order_by(Specimen.key).limit(size)).all())
    _fill_in(session, items)
    return items


def find_item(session: Session, study: str, specimen_id: str) -> Item | None:
    """One specimen by name; ``None`` if the study's sheet has none such."""
    query = (
        select(Specimen.key)
        .outerjoin(SpecimenRevision, _row_of_the_sheet())
        .join(Study, Study.key == Specimen.study_key)
        .where(Study.name == study, Specimen.specimen_id == specimen_id, _shown())
    )
    key = session.scalar(query)
    if key is None:
        return None
    items = _read(session, [key])
    _fill_in(session, items)
    return items[0]


def studies(session: Session) -> list[StudyItem]:
    """All studies with their specimens by state, newest first."""
    state = standing.state()
    counted = session.execute(
        select(Specimen.study_key, state, func.count())
        .outerjoin(SpecimenRevision, _row_of_the_sheet())
        .where(_shown())
        .group_by(Specimen.study_key, state)
    )
    by_study: dict[int, dict[str, int]] = {}
    for study_key, name, count in counted:
        by_study.setdefault(study_key, {})[name] = count
    rows = session.scalars(select(Study).order_by(Study.key.desc()))
    return [StudyItem(row.name, row.created_at, by_study.get(row.key, {})) for row in rows]


def instruments(session: Session) -> list[str]:
    """Names of all instruments that recorded something, in order."""
    column = SpecimenRevision.instrument_id
    rows = session.scalars(select(column).where(column.is_not(None)).distinct().order_by(column))
    return [name for name in rows if name]


def flags_in_use(session: Session) -> list[str]:
    """Codes of all flags that stand on a prediction in force."""
    return standing.flag_lists(session).codes()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A list as a query for keys; ``reviewed`` if what people made of them is joined already."""

    narrowed: Filter
    lists: standing.FlagLists
    query: Select[Any]
    reviewed: bool

    def ordered(self) -> Select[Any]:
        """The query in the order that was asked for."""
        newest = (SpecimenRevision.acquired_at.desc().nulls_last(), Specimen.key.desc())
        match self.narrowed.sort:
            case "newest":
                return self.query.order_by(*newest)
            case "oldest":
                oldest = SpecimenRevision.acquired_at.asc().nulls_last()
                return self.query.order_by(oldest, Specimen.key)
            case "specimen":
                return self.query.order_by(Specimen.specimen_id, Specimen.key)
            case "donor":
                return self.query.order_by(SpecimenRevision.donor_id, *newest)
            case _:
                query = self.query if self.reviewed else _with_review(self.query)
                return query.order_by(standing.urgency(self.lists), *newest)


def _ask(session: Session, narrowed: Filter) -> _Asked:
    lists = standing.flag_lists(session)
    query = (
        select(Specimen.key)
        .select_from(Specimen)
        .outerjoin(SpecimenRevision, _row_of_the_sheet())
        .join(Study, Study.key == Specimen.study_key)
        .where(_shown())
    )
    reviewed = bool(narrowed.flag or narrowed.review or narrowed.state)
    if reviewed:
        query = _with_review(query)
    return _Asked(narrowed, lists, query.where(*_conditions(narrowed, lists)), reviewed)


def _with_review(query: Select[Any]) -> Select[Any]:
    force = standing.in_force()
    return (
        query.outerjoin(force, force.c.specimen_key == Specimen.key)
        .outerjoin(Prediction, Prediction.key == force.c.prediction_key)
        .outerjoin(Review, Review.specimen_key == Specimen.key)
    )


def _page_of_keys(session: Session, asked: _Asked, first: int, size: int) -> list[int]:
    return list(session.scalars(asked.ordered().limit(size).offset(first)))


def _read(session: Session, keys: Sequence[int]) -> list[Item]:
    # Two steps, so that sorting carries keys alone and not whole rows.
    rows = session.execute(
        select(Specimen, SpecimenRevision, Study.name)
        .outerjoin(SpecimenRevision, _row_of_the_sheet())
        .join(Study, Study.key == Specimen.study_key)
        .where(Specimen.key.in_(keys))
    )
    found = {row[0].key: _item(*row) for row in rows}
    return [found[key] for key in keys]


def _item(specimen: Specimen, row: SpecimenRevision | None, study: str) -> Item:
    if row is None:
        return Item(specimen.key, study, specimen.specimen_id)
    return Item(
        specimen.key,
        study,
        specimen.specimen_id,
        row.donor_id,
        row.role,
        acquired_at=row.acquired_at,
        instrument_id=row.instrument_id,
    )


def _row_of_the_sheet() -> ColumnElement[bool]:
    return and_(SpecimenRevision.specimen_key == Specimen.key, SpecimenRevision.latest)


def _shown() -> ColumnElement[bool]:
    """Specimens of the sheet, and those whose row is so wrong that they are set aside unread."""
    return or_(SpecimenRevision.listed, standing.quarantined())


def _conditions(narrowed: Filter, lists: standing.FlagLists) -> list[ColumnElement[bool]]:
    revision, found = SpecimenRevision, []
    if narrowed.study:
        found.append(Study.name == narrowed.study)
    if narrowed.role:
        found.append(revision.role == narrowed.role)
    if narrowed.instrument:
        found.append(revision.instrument_id == narrowed.instrument)
    if narrowed.since:
        found.append(revision.acquired_at >= _midnight(narrowed.since))
    if narrowed.until and narrowed.until < date.max:  # there is no day after the last
        found.append(revision.acquired_at < _midnight(narrowed.until + timedelta(days=1)))
    if narrowed.words:
        found.append(_named(narrowed.words))
    if narrowed.flag:
        found.append(lists.with_code(narrowed.flag))
    if narrowed.state:
        found.append(standing.is_state(narrowed.state))
    if narrowed.review:
        found.append(_in_review(narrowed.review))
    return found


def _in_review(state: str) -> ColumnElement[bool]:
    """Only what can be reported has a state of review."""
    reported = SpecimenRevision.role.in_(standing.REPORTED)
    return and_(Prediction.key.is_not(None), reported, standing.review_state() == state)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _named(words: str) -> ColumnElement[bool]:
    return or_(
        Specimen.specimen_id.icontains(words, autoescape=True),
        SpecimenRevision.donor_id.icontains(words, autoescape=True),
    )


def _fill_in(session: Session, items: list[Item]) -> None:
    """State, cells, flags and reasons of the specimens on one page."""
    by_key = {item.key: item for item in items}
    for key, count in session.execute(
        select(CellFile.specimen_key, CellFile.n_cells).where(
            CellFile.specimen_key.in_(by_key), CellFile.current
        )
    ):
        by_key[key].cells, by_key[key].state = count, "ingested"
    reviews = {
        row.specimen_key: row
        for row in session.scalars(select(Review).where(Review.specimen_key.in_(by_key)))
    }
    for prediction in _predictions(session, by_key):
        item = by_key[prediction.specimen_key]
        item.cells, item.flags, item.state = prediction.cells, tuple(prediction.flags), "predicted"
        item.total_per_ul = nan if prediction.total_per_ul is None else prediction.total_per_ul
        item.review = _reviewed(item, prediction.key, reviews.get(item.key))
    for key, reason in session.execute(
        select(Specimen.key, Finding.message)
        .join(Finding, Finding.specimen_key == Specimen.key)
        .where(Finding.specimen_key.in_(by_key), Finding.quarantines, Finding.cleared_at.is_(None))
    ):
        by_key[key].state, by_key[key].reason = "quarantined", reason
    for item in items:
        item.state = item.state or "waiting"


def _reviewed(item: Item, prediction_key: int, review: Review | None) -> str:
    if item.role not in standing.REPORTED:
        return ""
    if review is None:
        return "open"
    if review.on_hold:
        return "on hold"
    return review.signed_state if review.prediction_key == prediction_key else "open"


def _predictions(session: Session, by_key: dict[int, Item]) -> Sequence[Prediction]:
    # Oldest first and the champion's last, so that the one in force overwrites the others.
    return session.scalars(
        select(Prediction)
        .join(ModelVersion, ModelVersion.key == Prediction.model_key)
        .where(
            Prediction.specimen_key.in_(by_key),
            Prediction.current,
            ModelVersion.state.in_(IN_FORCE),
        )
        .order_by((ModelVersion.state == "champion"), Prediction.key)
    ).all()
