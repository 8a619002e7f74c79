"""What is to be sent, what was sent, and what the receiver said; and work asked for by people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.types import Table, utc_now

MESSAGE_STATES = ("waiting", "acknowledged", "refused")
JOB_STATES = ("waiting", "running", "done", "failed")


class OutboxMessage(Table):
    """One report version for one receiver; written in the transaction that releases the report.

    ``control_id`` is the same at every attempt: a receiver that has it already can tell.
    """

    __tablename__ = "outbox_message"
    __table_args__ = (
        UniqueConstraint("report_version_key", "destination"),
        CheckConstraint(f"state IN {MESSAGE_STATES}", name="state"),
        Index("ix_outbox_message_due", "state", "next_attempt_at"),
    )

    key: Mapped[int] = mapped_column(primary_key=True)
    report_version_key: Mapped[int] = mapped_column(ForeignKey("report_version.key"))
    destination: Mapped[str]
    control_id: Mapped[str] = mapped_column(unique=True)
    body: Mapped[str]
    state: Mapped[str] = mapped_column(default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime] = mapped_column(default=utc_now)
    answer: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None]


class Job(Table):
    """Long work that somebody asked for from a page; done by the service, one at a time.

    ``subject`` says of what, for example ``study:NAME``: of one kind and subject at most one is
    waiting or running. ``progress`` is 0–1, of the step that ``label`` names; ``seconds_left`` is
    of that step too. A job whose ``process`` died is taken again after ``lease_until``.
    """

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint(f"state IN {JOB_STATES}", name="state"),
        Index("ix_job_state", "state", "key"),
        Index(
            "uq_job_standing",
            "kind",
            "subject",
            unique=True,
            sqlite_where=text("state IN ('waiting', 'running')"),
            postgresql_where=text("state IN ('waiting', 'running')"),
        ),
    )

    key: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject: Mapped[str]
    study_key: Mapped[int | None] = mapped_column(ForeignKey("study.key"))
    specimen_key: Mapped[int | None] = mapped_column(ForeignKey("specimen.key"))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    account_key: Mapped[int] = mapped_column(ForeignKey("account.key"))
    state: Mapped[str] = mapped_column(default="waiting")
    progress: Mapped[float] = mapped_column(default=0.0)
    label: Mapped[str] = mapped_column(default="")
    seconds_left: Mapped[float | None]
    message: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)
    process: Mapped[str] = mapped_column(default="")
    lease_until: Mapped[datetime | None]
    asked_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
