"""Tokens with which machines read: shown once, kept as a hash, dead with their account."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cellcensus.errors import UsageError
from db.audit import record
from db.sessions import digest_of
from db.tables import Account, ApiToken
from db.types import utc_now

PREFIX = "cct_"
LONGEST_LABEL = 80
_TOUCH = timedelta(minutes=1)  # use is written down this often, not with every request


@dataclass(frozen=True, slots=True)
class Made:
    """A token that was just made; ``secret`` is kept nowhere and cannot be shown again."""

    secret: str
    row: ApiToken


def add_token(session: Session, account: Account, label: str, *, days: int | None = None) -> Made:
    """Make a token of 256 random bits for an account.

    Parameters
    ----------
    label
        What it is for, so that its owner knows which to revoke.
    days
        How long it lives; unset: until it is revoked.

    Raises
    ------
    UsageError
        The label is empty or too long, or the account is closed.
    """
    label = " ".join(label.split())
    if not 0 < len(label) <= LONGEST_LABEL:
        raise UsageError(
            f"a label has 1 to {LONGEST_LABEL} characters",
            next_step="say what the token is for",
        )
    if not account.active:
        raise UsageError(
            f"the account {account.name!r} is closed", next_step="choose an open account"
        )
    secret = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(
        account_key=account.key,
        label=label,
        token_sha256=digest_of(secret),
        expires_at=None if days is None else utc_now() + timedelta(days=days),
    )
    session.add(row)
    session.flush()
    _record(session, account, row, "token.added")
    return Made(secret, row)


def find_token(
    session: Session, secret: str, now: datetime | None = None
) -> tuple[Account, ApiToken] | None:
    """Whose token this is, while it lives and its account is open."""
    row = session.execute(
        select(Account, ApiToken)
        .join(ApiToken, ApiToken.account_key == Account.key)
        .where(
            ApiToken.token_sha256 == digest_of(secret),
            ApiToken.revoked_at.is_(None),
            (ApiToken.expires_at.is_(None)) | (ApiToken.expires_at > (now or utc_now())),
            Account.active,
        )
    ).first()
    return None if row is None else (row[0], row[1])


def list_tokens(
    session: Session, account_key: int | None = None
) -> Sequence[tuple[Account, ApiToken]]:
    """All tokens, or those of one account, newest first; the dead ones too."""
    query = (
        select(Account, ApiToken)
        .join(ApiToken, ApiToken.account_key == Account.key)
        .order_by(ApiToken.key.desc())
    )
    if account_key is not None:
        query = query.where(Account.key == account_key)
    return [(row[0], row[1]) for row in session.execute(query)]


def revoke_token(session: Session, key: int, *, account_key: int | None = None) -> ApiToken:
    """End a token; with ``account_key``, only if it is that account's.

    Raises
    ------
    UsageError
        There is no such token.
    """
    row = session.execute(
        select(Account, ApiToken)
        .join(ApiToken, ApiToken.account_key == Account.key)
        .where(ApiToken.key == key)
    ).first()
    if row is None or account_key not in (None, row[0].key):
        raise UsageError(f"there is no token {key}", next_step="`cellcensus tokens list` shows all")
    account, token = row
    if token.revoked_at is None:
        token.revoked_at = utc_now()
        _record(session, account, token, "token.revoked")
    return token


def is_touch_due(token: ApiToken) -> bool:
    """Whether it is time to write down again that the token is in use."""
    return token.used_at is None or abs(utc_now() - token.used_at) >= _TOUCH


def touch(session: Session, key: int) -> None:
    """Write down that the token is in use."""
    session.execute(update(ApiToken).where(ApiToken.key == key).values(used_at=utc_now()))


def state_of(token: ApiToken) -> str:
    """``live``, ``revoked`` or ``expired``."""
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at and token.expires_at <= utc_now() else "live"


def _record(session: Session, account: Account, token: ApiToken, action: str) -> None:
    session.flush()
    until = token.expires_at.isoformat() if token.expires_at else None
    after = {"token": token.key, "label": token.label, "expires_at": until}
    record(session, action=action, subject=f"account:{account.name}", after=after)
