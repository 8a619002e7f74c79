"""Predictions: all that were made, and those in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, not_, or_, select, true, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from db import audit
from db.tables import (
    CellFile,
    ModelVersion,
    Prediction,
    PredictionClass,
    Specimen,
    SpecimenRevision,
)

# A candidate's prediction is never in force; one by a model that was champion once may be.
IN_FORCE = ("champion", "retired")


@dataclass(frozen=True, slots=True)
class Current:
    """The prediction in force of one specimen, with what it was made from."""

    specimen_id: str
    sheet: SpecimenRevision
    prediction: Prediction
    model: ModelVersion
    cell_file: CellFile


def find_prediction(session: Session, specimen_key: int, recipe_id: str) -> Prediction | None:
    """The prediction of a specimen that this recipe made."""
    return session.scalar(
        select(Prediction).where(
            Prediction.specimen_key == specimen_key, Prediction.recipe_id == recipe_id
        )
    )


def add_prediction(
    session: Session, values: dict[str, Any], rows: Sequence[dict[str, Any]]
) -> Prediction:
    """Add a prediction and make it the current one of its specimen and model.

    ``values`` are columns of ``prediction``; ``rows`` those of ``prediction_class``, in reporting
    order.
    """
    prediction = Prediction(**values, current=False)
    prediction.rows = [PredictionClass(position=i, **row) for i, row in enumerate(rows)]
    session.add(prediction)
    session.flush()
    before = in_force(session, prediction.specimen_key)
    _make_current(session, prediction)
    if before is not None or not _is_first(session, prediction):
        _record_change(session, prediction.specimen_key, before)
    return prediction


def make_current(session: Session, prediction: Prediction) -> None:
    """Of the predictions of this specimen by this model, let this one be in force."""
    if prediction.current:
        return
    before = in_force(session, prediction.specimen_key)
    _make_current(session, prediction)
    _record_change(session, prediction.specimen_key, before)


def _make_current(session: Session, prediction: Prediction) -> None:
    session.execute(
        update(Prediction)
        .where(
            Prediction.specimen_key == prediction.specimen_key,
            Prediction.model_key == prediction.model_key,
            Prediction.current,
        )
        .values(current=False)
    )
    prediction.current = True
    session.flush()


def set_aside(session: Session, specimen_key: int) -> None:
    """No prediction of the specimen is in force."""
    before = in_force(session, specimen_key)
    session.execute(
        update(Prediction)
        .where(Prediction.specimen_key == specimen_key, Prediction.current)
        .values(current=False)
    )
    _record_change(session, specimen_key, before)


def in_force(session: Session, specimen_key: int) -> Prediction | None:
    """The prediction in force of one specimen, by the rule of :func:`current_predictions`."""
    return session.scalar(
        select(Prediction)
        .join(ModelVersion, ModelVersion.key == Prediction.model_key)
        .where(
            Prediction.specimen_key == specimen_key,
            Prediction.current,
            ModelVersion.state.in_(IN_FORCE),
        )
        .order_by(case((ModelVersion.state == "champion", 0), else_=1), Prediction.key.desc())
        .limit(1)
    )


def _record_change(session: Session, specimen_key: int, before: Prediction | None) -> None:
    """Write into the trail that another result is in force."""
    after = in_force(session, specimen_key)
    concerned = after or before
    if after is before or concerned is None:
        return
    model = session.get_one(ModelVersion, concerned.model_key)
    if after is None:
        action = "result.withdrawn"
    else:
        action = "result.restored" if before is None else "result.replaced"
    audit.record(
        session,
        action=action,
        subject=audit.subject_of(session, specimen_key),
        before=None if before is None else _summary(before),
        after=None if after is None else _summary(after),
        model_id=model.model_id,
    )


def _is_first(session: Session, prediction: Prediction) -> bool:
    """Whether the specimen had no result before: having one now changes none."""
    earlier = (
        select(Prediction.key)
        .join(ModelVersion, ModelVersion.key == Prediction.model_key)
        .where(
            Prediction.specimen_key == prediction.specimen_key,
            Prediction.key != prediction.key,
            ModelVersion.state.in_(IN_FORCE),
        )
    )
    return session.scalar(earlier.limit(1)) is None


def _summary(prediction: Prediction) -> dict[str, Any]:
    return {
        "recipe_id": prediction.recipe_id,
        "cells": prediction.cells,
        "total_per_ul": prediction.total_per_ul,
        "fractions": {row.cell_class: row.fraction for row in prediction.rows},
        "flags": list(prediction.flags),
    }


def held_out_of(session: Session, model_key: int) -> dict[int, Prediction]:
    """Specimen key → its current leave-donors-out prediction by that model."""
    rows = session.scalars(
        select(Prediction).where(
            Prediction.model_key == model_key, Prediction.held_out, Prediction.current
        )
    )
    return {row.specimen_key: row for row in rows}


def current_predictions(
    session: Session,
    study_key: int,
    specimen_key: int | None = None,
    *,
    roles: Sequence[str] = (),
) -> list[Current]:
    """The prediction in force of each listed specimen, in the sheet's order.

    ``specimen_key`` narrows to one, ``roles`` to some roles.

    That is the champion's; where the champion has made none, the newest by a model that was
    champion once, since a promotion does not take back what was reported before.
    """
    narrowed = [] if specimen_key is None else [Specimen.key == specimen_key]
    rank = func.row_number().over(
        partition_by=Prediction.specimen_key,
        order_by=(case((ModelVersion.state == "champion", 0), else_=1), Prediction.key.desc()),
    )
    ranked = (
        select(Prediction.key, rank.label("place"))
        .join(ModelVersion, ModelVersion.key == Prediction.model_key)
        .join(Specimen, Specimen.key == Prediction.specimen_key)
        .where(
            Specimen.study_key == study_key,
            Prediction.current,
            ModelVersion.state.in_(IN_FORCE),
            *narrowed,
        )
        .subquery()
    )
    rows = session.execute(
        select(Specimen.specimen_id, SpecimenRevision, Prediction, ModelVersion, CellFile)
        .join(ranked, ranked.c.key == Prediction.key)
        .join(Specimen, Specimen.key == Prediction.specimen_key)
        .join(SpecimenRevision, SpecimenRevision.specimen_key == Specimen.key)
        .join(ModelVersion, ModelVersion.key == Prediction.model_key)
        .join(CellFile, CellFile.key == Prediction.cell_file_key)
        .where(ranked.c.place == 1, SpecimenRevision.latest, SpecimenRevision.listed)
        .where(SpecimenRevision.role.in_(roles) if roles else true())
        .order_by(Specimen.key)
    )
    return [Current(*row) for row in rows]


def is_in_force(prediction_key: InstrumentedAttribute[int | None]) -> ColumnElement[bool]:
    """SQL: whether the prediction of that key, a column of another query, is in force.

    The same rule as :func:`current_predictions` has, put so that no prediction goes before it.
    """
    mine, mine_by = aliased(Prediction), aliased(ModelVersion)
    other, other_by = aliased(Prediction), aliased(ModelVersion)
    better = or_(
        and_(other_by.state == "champion", mine_by.state == "retired"),
        and_(other_by.state == mine_by.state, other.key > mine.key),
    )
    preceded = (
        exists()
        .where(
            other.specimen_key == mine.specimen_key,
            other.current,
            other_by.key == other.model_key,
            other_by.state.in_(IN_FORCE),
            better,
        )
        .correlate(mine, mine_by)
    )
    return exists().where(
        mine.key == prediction_key,
        mine.current,
        mine_by.key == mine.model_key,
        mine_by.state.in_(IN_FORCE),
        not_(preceded),
    )


def newest_by_model(session: Session, model_key: int) -> dict[int, Prediction]:
    """Specimen key → the current prediction by that model, held out or not."""
    rows = session.scalars(
        select(Prediction).where(Prediction.model_key == model_key, Prediction.current)
    )
    return {row.specimen_key: row for row in rows}


def history(session: Session, specimen_key: int) -> Sequence[Prediction]:
    """Every prediction of a specimen, newest first."""
    return session.scalars(
        select(Prediction)
        .where(Prediction.specimen_key == specimen_key)
        .order_by(Prediction.key.desc())
    ).all()
