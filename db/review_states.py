"""How far the review of many specimens is, as SQL: for work lists of any length."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, case, exists, func, not_, or_, select
from sqlalchemy.orm import Session

from db.predictions import is_in_force
from db.tables import Review, Specimen

REVIEW_STATES = ("open", "on_hold", "reviewed", "released", "corrected")


def review_state() -> ColumnElement[str]:
    """SQL: the state of the review of the specimen that a query on ``Specimen`` is at.

    ``on_hold`` before all others; what was signed is ``open`` again once another prediction is in
    force. The query needs no join: the expression looks up what it needs by primary key. To group
    by it, give it a label and group by that.
    """
    signed = (
        select(
            case(
                (Review.on_hold, "on_hold"),
                (Review.signed_state == "open", "open"),
                (is_in_force(Review.prediction_key), Review.signed_state),
                else_="open",
            )
        )
        .where(Review.specimen_key == Specimen.key)
        .correlate(Specimen)
        .scalar_subquery()
    )
    return func.coalesce(signed, "open")


def is_in_state(state: str) -> ColumnElement[bool]:
    """SQL: whether the specimen that a query is at is in this state of review."""
    if state == "on_hold":
        return exists().where(Review.specimen_key == Specimen.key, Review.on_hold)
    if state == "open":
        settled = or_(
            Review.on_hold, and_(Review.signed_state != "open", is_in_force(Review.prediction_key))
        )
        return not_(exists().where(Review.specimen_key == Specimen.key, settled))
    return exists().where(
        Review.specimen_key == Specimen.key,
        and_(Review.signed_state == state, Review.on_hold.is_(False)),
        is_in_force(Review.prediction_key),
    )


def review_states(session: Session, specimen_keys: Collection[int]) -> dict[int, str]:
    """Specimen key → the state of its review, of a page of specimens."""
    rows = session.execute(
        select(Specimen.key, review_state()).where(Specimen.key.in_(specimen_keys))
    )
    return dict(rows.tuples().all())
