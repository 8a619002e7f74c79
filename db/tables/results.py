"""What came out: cells, models, predictions and reports, each with the recipe that made it.

A result is never altered. ``current`` marks, among the rows beside each other, the one that belongs
to today's recording and settings; it is the only thing about a result that changes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.types import Table, utc_now

MODEL_STATES = ("candidate", "champion", "retired", "refused")


def _one_current(name: str, *columns: str) -> Index:
    return Index(
        name, *columns, unique=True, sqlite_where=text("current"), postgresql_where=text("current")
    )


class CellFile(Table):
    """The unique cells of one recording; ``path`` is relative to the home folder."""

    __tablename__ = "cell_file"
    __table_args__ = (
        UniqueConstraint("specimen_key", "recipe_id"),
        _one_current("uq_cell_file_current", "specimen_key"),
    )

    key: Mapped[int] = mapped_column(primary_key=True)
    specimen_key: Mapped[int] = mapped_column(ForeignKey("specimen.key"))
    recording_key: Mapped[int] = mapped_column(ForeignKey("recording.key"))
    run_key: Mapped[int | None] = mapped_column(ForeignKey("run.key"))
    recipe_id: Mapped[str]
    recipe: Mapped[dict[str, Any]]
    path: Mapped[str]
    n_cells: Mapped[int]
    quality: Mapped[dict[str, Any]]
    current: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class ModelVersion(Table):
    """A trained model. At most one of each ``family`` (set of classes) is champion."""

    __tablename__ = "model_version"
    __table_args__ = (
        CheckConstraint(f"state IN {MODEL_STATES}", name="state"),
        Index(
            "uq_model_version_champion",
            "family",
            unique=True,
            sqlite_where=text("state = 'champion'"),
            postgresql_where=text("state = 'champion'"),
        ),
    )

    key: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[str] = mapped_column(unique=True)
    sha256: Mapped[str]
    path: Mapped[str]
    recipe: Mapped[dict[str, Any]]
    family: Mapped[str]
    classes: Mapped[list[str]]
    state: Mapped[str] = mapped_column(default="candidate")
    trained_on: Mapped[list[Any]]
    card: Mapped[dict[str, Any]]
    run_key: Mapped[int | None] = mapped_column(ForeignKey("run.key"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    decisions: Mapped[list[Decision]] = relationship(
        order_by="Decision.key", back_populates="model", foreign_keys="Decision.model_key"
    )


class Decision(Table):
    """A change of a model's state, with its reasons; rows are only ever added."""

    __tablename__ = "decision"

    key: Mapped[int] = mapped_column(primary_key=True)
    model_key: Mapped[int] = mapped_column(ForeignKey("model_version.key"), index=True)
    action: Mapped[str]
    state: Mapped[str]
    replaced_key: Mapped[int | None] = mapped_column(ForeignKey("model_version.key"))
    reasons: Mapped[list[str]]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    taken_at: Mapped[datetime] = mapped_column(default=utc_now)

    model: Mapped[ModelVersion] = relationship(back_populates="decisions", foreign_keys=[model_key])


class Prediction(Table):
    """The composition of one specimen, by one model.

    ``held_out``: made by models of the leave-donors-out folds, none of which saw this donor.
    ``path`` is the file with the class of every cell, relative to the home folder. Missing
    concentrations cannot be said.
    """

    __tablename__ = "prediction"
    __table_args__ = (
        UniqueConstraint("specimen_key", "recipe_id"),
        _one_current("uq_prediction_current", "specimen_key", "model_key"),
    )

    key: Mapped[int] = mapped_column(primary_key=True)
    specimen_key: Mapped[int] = mapped_column(ForeignKey("specimen.key"))
    cell_file_key: Mapped[int] = mapped_column(ForeignKey("cell_file.key"))
    model_key: Mapped[int] = mapped_column(ForeignKey("model_version.key"))
    run_key: Mapped[int | None] = mapped_column(ForeignKey("run.key"))
    recipe_id: Mapped[str]
    recipe: Mapped[dict[str, Any]]
    path: Mapped[str]
    held_out: Mapped[bool]
    current: Mapped[bool]
    cells: Mapped[int]
    total_per_ul: Mapped[float | None]
    total_per_ul_low: Mapped[float | None]
    total_per_ul_high: Mapped[float | None]
    flags: Mapped[list[str]]
    method: Mapped[str]
    details: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    rows: Mapped[list[PredictionClass]] = relationship(
        order_by="PredictionClass.position", cascade="all, delete-orphan", lazy="selectin"
    )


class PredictionClass(Table):
    """One class of a prediction; ``position`` is its place in the reporting order."""

    __tablename__ = "prediction_class"

    prediction_key: Mapped[int] = mapped_column(ForeignKey("prediction.key"), primary_key=True)
    cell_class: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    count: Mapped[int]
    fraction: Mapped[float | None]
    fraction_low: Mapped[float | None]
    fraction_high: Mapped[float | None]
    per_ul: Mapped[float | None]
    per_ul_low: Mapped[float | None]
    per_ul_high: Mapped[float | None]


class Report(Table):
    """A report that was written; of the whole study where ``specimen_key`` is missing."""

    __tablename__ = "report"
    __table_args__ = (Index("ix_report_subject", "study_key", "specimen_key"),)

    key: Mapped[int] = mapped_column(primary_key=True)
    study_key: Mapped[int] = mapped_column(ForeignKey("study.key"))
    specimen_key: Mapped[int | None] = mapped_column(ForeignKey("specimen.key"))
    run_key: Mapped[int | None] = mapped_column(ForeignKey("run.key"))
    recipe_id: Mapped[str]
    recipe: Mapped[dict[str, Any]]
    path: Mapped[str]
    sha256: Mapped[str]
    current: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
