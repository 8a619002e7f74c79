"""Sessions of browsers: begun at sign-in, ended by their owner, by a change, or by time."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from cellcensus.settings import AccessSettings
from db.tables import Account, LoginSession
from db.types import utc_now

_TOUCH = timedelta(minutes=1)  # being there is written down this often, not with every request
_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Begun:
    """A session as its browser knows it. The token is kept nowhere else."""

    token: str
    csrf: str
    expires_at: datetime


def digest_of(token: str) -> str:
    """What is stored of a token."""
    return sha256(token.encode()).hexdigest()


def begin_session(session: Session, account: Account, settings: AccessSettings) -> Begun:
    """Begin a session of this account, with a new token of 256 random bits."""
    begun = Begun(
        secrets.token_urlsafe(32),
        secrets.token_urlsafe(32),
        utc_now() + timedelta(hours=settings.session_hours),
    )
    session.add(
        LoginSession(
            account_key=account.key,
            token_sha256=digest_of(begun.token),
            csrf=begun.csrf,
            expires_at=begun.expires_at,
        )
    )
    session.flush()
    return begun


def find_session(
    session: Session, token: str, settings: AccessSettings, now: datetime | None = None
) -> tuple[Account, LoginSession] | None:
    """Who holds this token, while the session lives and the account is open."""
    row = session.execute(
        select(Account, LoginSession)
        .join(LoginSession, LoginSession.account_key == Account.key)
        .where(LoginSession.token_sha256 == digest_of(token), *_alive(settings, now))
    ).first()
    return None if row is None else (row[0], row[1])


def is_touch_due(found: LoginSession, settings: AccessSettings) -> bool:
    """Whether it is time to write down again that the session is in use."""
    often = min(_TOUCH, timedelta(minutes=settings.idle_minutes) / 10)
    # Away from now in either direction: a clock that was set back must not freeze it.
    return abs(utc_now() - found.seen_at) >= often


def touch(session: Session, key: int) -> None:
    """Write down that the session is in use."""
    session.execute(update(LoginSession).where(LoginSession.key == key).values(seen_at=utc_now()))


def open_sessions(
    session: Session, account_key: int, settings: AccessSettings
) -> Sequence[LoginSession]:
    """The sessions of an account that live, newest first."""
    return session.scalars(
        select(LoginSession)
        .join(Account, Account.key == LoginSession.account_key)
        .where(LoginSession.account_key == account_key, *_alive(settings, None))
        .order_by(LoginSession.key.desc())
    ).all()


def end_session(session: Session, token: str) -> None:
    """End the session of this token; nothing happens where there is none."""
    _end(session, LoginSession.token_sha256 == digest_of(token))


def end_session_of(session: Session, account_key: int, key: int) -> None:
    """End one session of this account, by its key; another's is left alone."""
    _end(session, LoginSession.key == key, LoginSession.account_key == account_key)


def end_sessions(session: Session, account_key: int) -> None:
    """End all sessions of this account."""
    _end(session, LoginSession.account_key == account_key)


def delete_dead(session: Session, now: datetime | None = None) -> int:
    """Delete the sessions that were ended or are past their absolute limit; how many.

    Idle ones reach that limit within hours: they need no rule of their own, which would have to
    trust a clock that may have been set.
    """
    dead = or_(LoginSession.ended_at.is_not(None), LoginSession.expires_at <= (now or utc_now()))
    return len(session.scalars(delete(LoginSession).where(dead).returning(LoginSession.key)).all())


def _end(session: Session, *which: ColumnElement[bool]) -> None:
    session.execute(
        update(LoginSession)
        .where(*which, LoginSession.ended_at.is_(None))
        .values(ended_at=utc_now())
    )


def _alive(settings: AccessSettings, now: datetime | None) -> tuple[ColumnElement[bool], ...]:
    now = now or utc_now()
    return (
        Account.active.is_(True),
        LoginSession.ended_at.is_(None),
        LoginSession.expires_at > now,
        LoginSession.seen_at > now - timedelta(minutes=settings.idle_minutes),
        # Seen in the future: the clock was set back, and nobody knows how long it was idle.
        LoginSession.seen_at < now + _SKEW,
    )
