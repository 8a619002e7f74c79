"""What the pages ask the database: read-only, one page of rows at a time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from math import nan

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import Session

from db.tables import (
    CellFile,
    Finding,
    ModelVersion,
    Prediction,
    Specimen,
    SpecimenRevision,
    Study,
)

STATES = ("quarantined", "predicted", "ingested", "waiting")
ROLES = ("unknown", "mixed", "control", "purified", "blank")
_IN_FORCE = ("champion", "retired")


@dataclass(frozen=True, slots=True)
class Filter:
    """What the work list is narrowed to; empty = everything."""

    study: str = ""
    state: str = ""
    role: str = ""
    flag: str = ""
    instrument: str = ""
    since: date | None = None
    until: date | None = None
    words: str = ""

    def as_query(self) -> dict[str, str]:
        """The filter as query parameters, empty ones left out."""
        values = {
            "study": self.study,
            "state": self.state,
            "role": self.role,
            "flag": self.flag,
            "instrument": self.instrument,
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
            "words": self.words,
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


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the work list."""

    items: list[Item]
    number: int
    pages: int
    total: int


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
    """Specimens, newest first; ``number`` counts pages from 1 and is kept within what there is."""
    matching = _matching(narrowed)
    total = session.scalar(select(func.count()).select_from(matching.subquery())) or 0
    pages = max(-(-total // size), 1)
    number = min(max(number, 1), pages)
    rows = session.execute(
        matching.order_by(SpecimenRevision.acquired_at.desc().nulls_last(), Specimen.key.desc())
        .limit(size)
        .offset((number - 1) * size)
    ).all()
    items = [_item(*row) for row in rows]
    _fill_in(session, items)
    return Page(items, number, pages, total)


def after(session: Session, narrowed: Filter, key: int, size: int) -> list[Item]:
    """At most ``size`` specimens that became known after the one with this key, in that order."""
    rows = session.execute(
        _matching(narrowed).where(Specimen.key > key).order_by(Specimen.key).limit(size)
    )
    items = [_item(*row) for row in rows]
    _fill_in(session, items)
    return items


def find_item(session: Session, study: str, specimen_id: str) -> Item | None:
    """One specimen by name; ``None`` if the study's sheet has none such."""
    row = session.execute(
        _matching(Filter(study=study)).where(Specimen.specimen_id == specimen_id)
    ).first()
    if row is None:
        return None
    item = _item(*row)
    _fill_in(session, [item])
    return item


def neighbours(session: Session, study: str, key: int) -> tuple[str | None, str | None]:
    """Ids of the specimens before and after one, in the order of the study's sheet."""
    base = _matching(Filter(study=study)).with_only_columns(Specimen.specimen_id)
    before = session.scalar(base.where(Specimen.key < key).order_by(Specimen.key.desc()).limit(1))
    after = session.scalar(base.where(Specimen.key > key).order_by(Specimen.key).limit(1))
    return before, after


def studies(session: Session) -> list[StudyItem]:
    """All studies with their specimens by state, newest first."""
    state = _state()
    counted = session.execute(
        select(Specimen.study_key, state, func.count())
        .outerjoin(SpecimenRevision, _row_of_the_sheet())
        .where(_shown())
        .group_by(Specimen.study_key, state)
    )
    by_study: dict[int, dict[str, int]] = {}
    for study_key, name, count in counted:
        by_study.setdefault(study_key, {})[name] = count
    rows = session.scalars(select(Study).order_by(Study.created_at.desc(), Study.key.desc()))
    return [StudyItem(row.name, row.created_at, by_study.get(row.key, {})) for row in rows]


def instruments(session: Session) -> list[str]:
    """Names of all instruments that recorded something, in order."""
    column = SpecimenRevision.instrument_id
    rows = session.scalars(select(column).where(column.is_not(None)).distinct().order_by(column))
    return [name for name in rows if name]


def flags_in_use(session: Session) -> list[str]:
    """Codes of all flags that stand on a prediction in force."""
    # As text: PostgreSQL cannot tell whether two values of JSON are the same.
    as_text = cast(Prediction.flags, String)
    lists = session.scalars(select(as_text).where(Prediction.current).distinct())
    return sorted({code for codes in lists for code in json.loads(codes)})


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


def _matching(narrowed: Filter) -> Select[tuple[Specimen, SpecimenRevision, str]]:
    query = (
        select(Specimen, SpecimenRevision, Study.name)
        .outerjoin(SpecimenRevision, _row_of_the_sheet())
        .join(Study, Study.key == Specimen.study_key)
        .where(_shown())
    )
    for condition in _conditions(narrowed):
        query = query.where(condition)
    return query


def _row_of_the_sheet() -> ColumnElement[bool]:
    return and_(SpecimenRevision.specimen_key == Specimen.key, SpecimenRevision.latest)


def _shown() -> ColumnElement[bool]:
    """Specimens of the sheet, and those whose row is so wrong that they are set aside unread."""
    return or_(SpecimenRevision.listed, _quarantined())


def _conditions(narrowed: Filter) -> list[ColumnElement[bool]]:
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
        found.append(_flagged(narrowed.flag))
    if narrowed.state:
        found.append(_is_state(narrowed.state))
    return found


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _named(words: str) -> ColumnElement[bool]:
    return or_(
        Specimen.specimen_id.icontains(words, autoescape=True),
        SpecimenRevision.donor_id.icontains(words, autoescape=True),
    )


def _flagged(code: str) -> ColumnElement[bool]:
    # Flags are a JSON list of codes; a code in quotation marks is one whole entry of it.
    listed = cast(Prediction.flags, String).contains(f'"{code}"', autoescape=True)
    return exists().where(Prediction.specimen_key == Specimen.key, Prediction.current, listed)


def _quarantined() -> ColumnElement[bool]:
    return exists().where(
        Finding.specimen_key == Specimen.key, Finding.quarantines, Finding.cleared_at.is_(None)
    )


def _predicted() -> ColumnElement[bool]:
    return exists().where(
        Prediction.specimen_key == Specimen.key,
        Prediction.current,
        Prediction.model_key == ModelVersion.key,
        ModelVersion.state.in_(_IN_FORCE),
    )


def _ingested() -> ColumnElement[bool]:
    return exists().where(CellFile.specimen_key == Specimen.key, CellFile.current)


def _state() -> ColumnElement[str]:
    return case(
        (_quarantined(), "quarantined"),
        (_predicted(), "predicted"),
        (_ingested(), "ingested"),
        else_="waiting",
    )


def _is_state(state: str) -> ColumnElement[bool]:
    aside, predicted, ingested = _quarantined(), _predicted(), _ingested()
    return {
        "quarantined": aside,
        "predicted": and_(not_(aside), predicted),
        "ingested": and_(not_(aside), not_(predicted), ingested),
        "waiting": and_(not_(aside), not_(predicted), not_(ingested)),
    }[state]


def _fill_in(session: Session, items: list[Item]) -> None:
    """State, cells, flags and reasons of the specimens on one page."""
    by_key = {item.key: item for item in items}
    for key, count in session.execute(
        select(CellFile.specimen_key, CellFile.n_cells).where(
            CellFile.specimen_key.in_(by_key), CellFile.current
        )
    ):
        by_key[key].cells, by_key[key].state = count, "ingested"
    for prediction in _predictions(session, by_key):
        item = by_key[prediction.specimen_key]
        item.cells, item.flags, item.state = prediction.cells, tuple(prediction.flags), "predicted"
        item.total_per_ul = nan if prediction.total_per_ul is None else prediction.total_per_ul
    for key, reason in session.execute(
        select(Specimen.key, Finding.message)
        .join(Finding, Finding.specimen_key == Specimen.key)
        .where(Finding.specimen_key.in_(by_key), Finding.quarantines, Finding.cleared_at.is_(None))
    ):
        by_key[key].state, by_key[key].reason = "quarantined", reason
    for item in items:
        item.state = item.state or "waiting"


def _predictions(session: Session, by_key: dict[int, Item]) -> Sequence[Prediction]:
    # Oldest first and the champion's last, so that the one in force overwrites the others.
    return session.scalars(
        select(Prediction)
        .join(ModelVersion, ModelVersion.key == Prediction.model_key)
        .where(
            Prediction.specimen_key.in_(by_key),
            Prediction.current,
            ModelVersion.state.in_(_IN_FORCE),
        )
        .order_by((ModelVersion.state == "champion"), Prediction.key)
    ).all()
