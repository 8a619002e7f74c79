"""The audit trail: every change of a result, a model or a setting, in one chain of hashes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from db.types import Table


class AuditEntry(Table):
    """One change. The database itself refuses to alter or remove a row.

    ``subject`` names what was changed (``specimen:STUDY/ID``, ``model:ID``, ``account:NAME``,
    ``setting:NAME``). ``entry_hash`` covers all other columns and ``previous_hash``, so that an
    altered, removed or inserted row breaks the chain.
    """

    __tablename__ = "audit_entry"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    made_at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str] = mapped_column(index=True)
    subject: Mapped[str] = mapped_column(index=True)
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    reason: Mapped[str]
    software: Mapped[str]
    model_id: Mapped[str | None]
    previous_hash: Mapped[str]
    entry_hash: Mapped[str] = mapped_column(unique=True)
