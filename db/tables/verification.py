"""Donors kept apart from all training, to judge models by."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.types import Table, utc_now


class VerificationDonor(Table):
    """A donor that no model of the family may learn from. Rows are only ever added.

    ``digest`` covers family, study and donor: a row that was altered by hand is noticed.
    """

    __tablename__ = "verification_donor"
    __table_args__ = (UniqueConstraint("family", "study", "donor_id"),)

    key: Mapped[int] = mapped_column(primary_key=True)
    family: Mapped[str]
    study: Mapped[str]
    donor_id: Mapped[str]
    digest: Mapped[str]
    chosen_at: Mapped[datetime] = mapped_column(default=utc_now)
