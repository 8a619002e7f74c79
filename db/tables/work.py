"""What was done, and what a person should know of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.types import Table, utc_now

RUN_STATES = ("running", "done", "partial", "failed", "abandoned")
LEVELS = ("violation", "alert", "information")


class Run(Table):
    """One stage of one command: when, by which software, and how it ended.

    ``partial``: done, with quarantined specimens. ``abandoned``: the process died. Whoever works
    keeps moving ``lease_until``; when it has passed, the run is taken for dead.
    """

    __tablename__ = "run"
    __table_args__ = (CheckConstraint(f"state IN {RUN_STATES}", name="state"),)

    key: Mapped[int] = mapped_column(primary_key=True)
    study_key: Mapped[int | None] = mapped_column(ForeignKey("study.key"), index=True)
    command: Mapped[str]
    stage: Mapped[str]
    recipe: Mapped[dict[str, Any]]
    software: Mapped[str]
    process: Mapped[str]
    state: Mapped[str] = mapped_column(default="running", index=True)
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    notes: Mapped[list[str]] = mapped_column(default=list)
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]


class Lease(Table):
    """What one run alone works on now, such as ``specimen:12``; gone when it is done.

    The row is the right to write the result: it is deleted with what it was taken for.
    """

    __tablename__ = "lease"

    key: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(unique=True)
    run_key: Mapped[int] = mapped_column(ForeignKey("run.key"), index=True)
    taken_at: Mapped[datetime] = mapped_column(default=utc_now)


class Finding(Table):
    """One thing found about a study, a specimen or its recording.

    Open until ``cleared_at``. An open finding with ``quarantines`` keeps its specimen aside;
    ``recipe_id`` says what was tried, so that the same is not tried again in vain (``None``: try
    again each time).
    """

    __tablename__ = "finding"
    __table_args__ = (
        CheckConstraint(f"level IN {LEVELS}", name="level"),
        Index(
            "ix_finding_open",
            "study_key",
            "specimen_key",
            sqlite_where=text("cleared_at IS NULL"),
            postgresql_where=text("cleared_at IS NULL"),
        ),
    )

    key: Mapped[int] = mapped_column(primary_key=True)
    study_key: Mapped[int] = mapped_column(ForeignKey("study.key"))
    specimen_key: Mapped[int | None] = mapped_column(ForeignKey("specimen.key"))
    recording_key: Mapped[int | None] = mapped_column(ForeignKey("recording.key"))
    run_key: Mapped[int | None] = mapped_column(ForeignKey("run.key"))
    source: Mapped[str]
    level: Mapped[str]
    code: Mapped[str]
    message: Mapped[str]
    action: Mapped[str]
    column: Mapped[str | None] = mapped_column("sheet_column")
    recipe_id: Mapped[str | None]
    quarantines: Mapped[bool] = mapped_column(default=False)
    found_at: Mapped[datetime] = mapped_column(default=utc_now)
    cleared_at: Mapped[datetime | None]
