"""Who may do what: accounts, the sessions of their browsers, and tokens for machines.

Secrets are never stored: of a password its argon2 hash, of a session or a token its SHA-256.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from db.types import Table, utc_now

ACCOUNT_ROLES = ("viewer", "technician", "reviewer", "scientist", "administrator")


class Account(Table):
    """A person. Accounts are closed, never deleted: what a person signed keeps its name.

    A temporary password was chosen by somebody else; its owner has to replace it first.
    """

    __tablename__ = "account"
    __table_args__ = (CheckConstraint(f"role IN {ACCOUNT_ROLES}", name="role"),)

    key: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    full_name: Mapped[str]
    role: Mapped[str]
    password_hash: Mapped[str]
    password_temporary: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    failed_logins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    password_changed_at: Mapped[datetime] = mapped_column(default=utc_now)


class LoginSession(Table):
    """A browser in which somebody is signed in. ``expires_at`` is the absolute limit."""

    __tablename__ = "login_session"

    key: Mapped[int] = mapped_column(primary_key=True)
    account_key: Mapped[int] = mapped_column(ForeignKey("account.key"), index=True)
    token_sha256: Mapped[str] = mapped_column(unique=True)
    csrf: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ApiToken(Table):
    """A token with which a machine may read."""

    __tablename__ = "api_token"

    key: Mapped[int] = mapped_column(primary_key=True)
    account_key: Mapped[int] = mapped_column(ForeignKey("account.key"), index=True)
    label: Mapped[str]
    token_sha256: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
