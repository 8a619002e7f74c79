"""What the laboratory says: studies, specimens, recordings and analyser counts, with history.

A changed sheet makes a new revision beside the old one; the revision with the highest number is the
one in force. What was computed from an old revision keeps its rows.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.types import Table, utc_now

ROLES = ("purified", "mixed", "unknown", "blank", "control")


class Study(Table):
    """A study, by its name."""

    __tablename__ = "study"

    key: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class StudyRevision(Table):
    """``study.yaml`` as it was at some time, and the folder it was read from."""

    __tablename__ = "study_revision"
    __table_args__ = (UniqueConstraint("study_key", "number"),)

    key: Mapped[int] = mapped_column(primary_key=True)
    study_key: Mapped[int] = mapped_column(ForeignKey("study.key"))
    number: Mapped[int]
    folder: Mapped[str]
    classes: Mapped[list[str]]
    acquisition: Mapped[dict[str, Any]]
    cells: Mapped[dict[str, Any]]
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)


class Specimen(Table):
    """A specimen of a study: its identity, which no revision changes."""

    __tablename__ = "specimen"
    __table_args__ = (UniqueConstraint("study_key", "specimen_id"),)

    key: Mapped[int] = mapped_column(primary_key=True)
    study_key: Mapped[int] = mapped_column(ForeignKey("study.key"))
    specimen_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class SpecimenRevision(Table):
    """A row of ``specimens.csv`` as it was at some time.

    ``latest`` marks the one in force; ``listed`` is false where the sheet no longer has the
    specimen. A time of acquisition without a time zone is taken as UTC.
    """

    __tablename__ = "specimen_revision"
    __table_args__ = (
        UniqueConstraint("specimen_key", "number"),
        CheckConstraint(f"role IN {ROLES}", name="role"),
        CheckConstraint("purity BETWEEN 0 AND 1", name="purity"),
    )

    key: Mapped[int] = mapped_column(primary_key=True)
    specimen_key: Mapped[int] = mapped_column(ForeignKey("specimen.key"), index=True)
    number: Mapped[int]
    latest: Mapped[bool]
    listed: Mapped[bool]
    digest: Mapped[str]
    donor_id: Mapped[str] = mapped_column(index=True)
    role: Mapped[str]
    cell_class: Mapped[str | None]
    purity: Mapped[float | None]
    recording: Mapped[str]
    imaged_volume_ul: Mapped[float | None]
    dilution: Mapped[float | None]
    acquired_at: Mapped[datetime | None]
    instrument_id: Mapped[str | None]
    wbc_per_ul: Mapped[float | None]
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)

    counts: Mapped[list[ReferenceCount]] = relationship(
        cascade="all, delete-orphan", lazy="selectin"
    )


class ReferenceCount(Table):
    """What the analyser gave for one class; any of the three may be missing."""

    __tablename__ = "reference_count"

    revision_key: Mapped[int] = mapped_column(ForeignKey("specimen_revision.key"), primary_key=True)
    cell_class: Mapped[str] = mapped_column(primary_key=True)
    per_ul: Mapped[float | None]
    percent: Mapped[float | None]
    cv: Mapped[float | None]


class Recording(Table):
    """The content of a recording, as it was found at some time.

    ``path`` is relative to the study folder. ``stamp`` (sizes and times of the files) is a cache
    key that spares reading an unchanged file again; the identity is ``sha256``.
    """

    __tablename__ = "recording"
    __table_args__ = (UniqueConstraint("study_key", "path", "sha256"),)

    key: Mapped[int] = mapped_column(primary_key=True)
    study_key: Mapped[int] = mapped_column(ForeignKey("study.key"))
    path: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    stamp: Mapped[str]
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)
