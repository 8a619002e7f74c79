"""What people decide about a result: looks, corrections, holds, comments, signatures.

Rows are only ever added; a later row supersedes an earlier one of the same kind. The prediction
itself is never altered.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.types import Table, utc_now

NOTE_KINDS = ("comment", "hold", "unhold", "flag_accepted", "bin_seen", "rerun_requested")
SIGNED_STATES = ("open", "reviewed", "released", "corrected")
SIGNATURE_MEANINGS = ("reviewed", "released")
RELEASE_STATES = ("preliminary", "final", "corrected")


class Review(Table):
    """How often anything was decided about a specimen.

    ``version`` is raised by every change: who comes with an older one is told that somebody else
    was there, instead of overwriting unseen. ``signed_state`` is what the newest signed version
    came to (``reviewed``, ``released``, ``corrected``) and ``prediction_key`` what it tells of;
    ``open`` where nothing is signed, or anything was changed since.
    """

    __tablename__ = "review"
    __table_args__ = (CheckConstraint(f"signed_state IN {SIGNED_STATES}", name="signed_state"),)

    specimen_key: Mapped[int] = mapped_column(ForeignKey("specimen.key"), primary_key=True)
    version: Mapped[int] = mapped_column(default=0)
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("account.key"))
    changed_at: Mapped[datetime] = mapped_column(default=utc_now)
    on_hold: Mapped[bool] = mapped_column(default=False)
    signed_state: Mapped[str] = mapped_column(default="open")
    prediction_key: Mapped[int | None] = mapped_column(ForeignKey("prediction.key"))


class CellCorrection(Table):
    """A technician's class for one cell of one prediction; ``after`` of the newest row holds.

    Classes are names, or ``unclassified`` or ``artefact``. Never used as training labels.
    """

    __tablename__ = "cell_correction"
    __table_args__ = (Index("ix_cell_correction_cell", "prediction_key", "cell_id"),)

    key: Mapped[int] = mapped_column(primary_key=True)
    prediction_key: Mapped[int] = mapped_column(ForeignKey("prediction.key"))
    cell_id: Mapped[int]
    before: Mapped[str]
    after: Mapped[str]
    account_key: Mapped[int] = mapped_column(ForeignKey("account.key"))
    made_at: Mapped[datetime] = mapped_column(default=utc_now)


class ReviewNote(Table):
    """One step of a review: ``kind`` says what was done, ``subject`` to what (a flag's code)."""

    __tablename__ = "review_note"
    __table_args__ = (
        CheckConstraint(f"kind IN {NOTE_KINDS}", name="kind"),
        Index("ix_review_note_specimen", "specimen_key", "kind"),
    )

    key: Mapped[int] = mapped_column(primary_key=True)
    specimen_key: Mapped[int] = mapped_column(ForeignKey("specimen.key"))
    prediction_key: Mapped[int | None] = mapped_column(ForeignKey("prediction.key"))
    kind: Mapped[str]
    subject: Mapped[str] = mapped_column(default="")
    text: Mapped[str] = mapped_column(default="")
    account_key: Mapped[int] = mapped_column(ForeignKey("account.key"))
    made_at: Mapped[datetime] = mapped_column(default=utc_now)


class ReportVersion(Table):
    """A report that was signed. ``content`` is all it says; the files are drawn from it.

    ``pictures`` are those of its pages, apart because lists have no use for them; ``drawn_with``
    are the settings of reports (paper, ranges) at the time.
    The first released version is ``final``, later ones ``corrected``; until its release (with
    two-person release, by a second person) it is ``preliminary``.
    """

    __tablename__ = "report_version"
    __table_args__ = (
        UniqueConstraint("specimen_key", "version"),
        CheckConstraint(f"state IN {RELEASE_STATES}", name="state"),
    )

    key: Mapped[int] = mapped_column(primary_key=True)
    specimen_key: Mapped[int] = mapped_column(ForeignKey("specimen.key"))
    prediction_key: Mapped[int] = mapped_column(ForeignKey("prediction.key"))
    version: Mapped[int]
    state: Mapped[str]
    report_sha256: Mapped[str]
    content: Mapped[dict[str, Any]]
    pictures: Mapped[dict[str, Any]] = mapped_column(default=dict, deferred=True)
    drawn_with: Mapped[dict[str, Any]] = mapped_column(default=dict)
    path: Mapped[str]
    file_sha256: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    released_at: Mapped[datetime | None]

    signatures: Mapped[list[ReportSignature]] = relationship(
        order_by="ReportSignature.key", lazy="selectin"
    )


class ReportSignature(Table):
    """Who took responsibility for which content, and in which meaning."""

    __tablename__ = "report_signature"
    __table_args__ = (
        UniqueConstraint("report_version_key", "meaning"),
        CheckConstraint(f"meaning IN {SIGNATURE_MEANINGS}", name="meaning"),
    )

    key: Mapped[int] = mapped_column(primary_key=True)
    report_version_key: Mapped[int] = mapped_column(ForeignKey("report_version.key"))
    account_key: Mapped[int] = mapped_column(ForeignKey("account.key"))
    full_name: Mapped[str]
    meaning: Mapped[str]
    report_sha256: Mapped[str]
    signed_at: Mapped[datetime] = mapped_column(default=utc_now)
