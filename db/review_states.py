"""How far the review of many specimens is, as SQL: for work lists of any length."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from db.predictions import is_in_force
from db.tables import Review, Specimen


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


def review_states(session: Session, specimen_keys: Collection[int]) -> dict[int, str]:
    """Specimen key → the state of its review, of a page of specimens."""
    rows = session.execute(
        select(Specimen.key, review_state()).where(Specimen.key.in_(specimen_keys))
    )
    return dict(rows.tuples().all())
