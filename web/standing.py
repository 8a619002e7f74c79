"""Where a specimen stands, as SQL: set aside, predicted, reviewed, and how much it needs a person.

Expressions are about the current row of `Specimen`; those that need more say which table must be
joined.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    Subquery,
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

from cellcensus.findings import Level
from db.predictions import IN_FORCE
from db.tables import (
    CellFile,
    Finding,
    ModelVersion,
    Prediction,
    Review,
    Specimen,
    SpecimenRevision,
)
from reports.glossary import flag_in_words

#: How far a specimen has come in the hands of the service.
STATES = ("quarantined", "predicted", "ingested", "waiting")
#: How far it has come in the hands of people.
REVIEW_STATES = ("open", "on hold", "reviewed", "released", "corrected")
#: Roles whose results are reported; purified specimens and blanks only teach.
REPORTED = ("unknown", "mixed", "control")
_CHAMPION_FIRST = 10**12

URGENCY = (
    "stopped by a flag",
    "quarantined",
    "to check",
    "to sign",
    "to release",
    "on hold",
    "nothing to do",
)


def quarantined() -> ColumnElement[bool]:
    """Set aside now."""
    return exists().where(
        Finding.specimen_key == Specimen.key, Finding.quarantines, Finding.cleared_at.is_(None)
    )


def predicted() -> ColumnElement[bool]:
    """With a prediction in force."""
    return exists().where(
        Prediction.specimen_key == Specimen.key,
        Prediction.current,
        Prediction.model_key == ModelVersion.key,
        ModelVersion.state.in_(IN_FORCE),
    )


def ingested() -> ColumnElement[bool]:
    """With its cells found."""
    return exists().where(CellFile.specimen_key == Specimen.key, CellFile.current)


def state() -> ColumnElement[str]:
    """One of `STATES`."""
    return case(
        (quarantined(), "quarantined"),
        (predicted(), "predicted"),
        (ingested(), "ingested"),
        else_="waiting",
    )


def is_state(name: str) -> ColumnElement[bool]:
    """Whether it is in one of `STATES`; needs the `Prediction` in force joined from outside."""
    aside, done, found = quarantined(), Prediction.key.is_not(None), ingested()
    return {
        "quarantined": aside,
        "predicted": and_(not_(aside), done),
        "ingested": and_(not_(aside), not_(done), found),
        "waiting": and_(not_(aside), not_(done), not_(found)),
    }[name]


def in_force() -> Subquery:
    """``specimen_key`` and ``prediction_key`` of every prediction in force.

    The champion's comes before those of models that were champion once, the newest before older
    ones; both are told by one maximum, so that the database reads its rows once.
    """
    rank = case((ModelVersion.state == "champion", _CHAMPION_FIRST), else_=0) + Prediction.key
    return (
        select(
            Prediction.specimen_key.label("specimen_key"),
            (func.max(rank) % _CHAMPION_FIRST).label("prediction_key"),
        )
        .join(ModelVersion, ModelVersion.key == Prediction.model_key)
        .where(Prediction.current, ModelVersion.state.in_(IN_FORCE))
        .group_by(Prediction.specimen_key)
        .subquery("in_force")
    )


def review_state() -> ColumnElement[str]:
    """One of `REVIEW_STATES`; needs `Review` and the `Prediction` in force joined from outside.

    What was signed about another prediction than the one in force is open again.
    """
    same = Review.prediction_key == Prediction.key
    return case(
        (Review.on_hold, "on hold"),
        (and_(Review.signed_state != "open", same), Review.signed_state),
        else_="open",
    )


@dataclass(frozen=True)
class FlagLists:
    """The different lists of flags that stand on predictions, as the database writes them.

    There are few of them however many predictions there are. So each is judged once here, and the
    database only compares: looking for a dozen codes in ten thousand texts takes a tenth of a
    second.
    """

    lists: Mapping[str, tuple[str, ...]]

    def with_code(self, code: str) -> ColumnElement[bool]:
        """Whether the `Prediction` has a flag."""
        return self._among(text for text, codes in self.lists.items() if code in codes)

    def with_level(self, level: Level) -> ColumnElement[bool]:
        """Whether the `Prediction` has a flag of a level."""
        return self._among(
            text
            for text, codes in self.lists.items()
            if any(flag_in_words(code).level is level for code in codes)
        )

    def codes(self) -> list[str]:
        """Every code in use, in order."""
        return sorted({code for codes in self.lists.values() for code in codes})

    def _among(self, texts: Iterable[str]) -> ColumnElement[bool]:
        return cast(Prediction.flags, String).in_(list(texts))


def flag_lists(session: Session) -> FlagLists:
    """The lists of flags on predictions of today's recordings and settings."""
    written = cast(Prediction.flags, String)
    texts = session.scalars(select(written).where(Prediction.current).distinct())
    return FlagLists({text: tuple(json.loads(text)) for text in texts})


def urgency(lists: FlagLists) -> ColumnElement[int]:
    """Place in `URGENCY`, what needs a person most first; needs what `review_state` needs."""
    reviewed = review_state()
    idle = or_(SpecimenRevision.role.not_in(REPORTED), reviewed.in_(("released", "corrected")))
    return cast(
        case(
            (quarantined(), 1),
            (or_(Prediction.key.is_(None), idle), 6),
            (reviewed == "on hold", 5),
            (reviewed == "reviewed", 4),
            (lists.with_level(Level.VIOLATION), 0),
            (lists.with_level(Level.ALERT), 2),
            else_=3,
        ),
        Integer,
    )
