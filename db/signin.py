"""Whether a password is right, counted so that guessing gets slower with every failure.

An attempt is counted before the password is looked at, and the count is taken back when it was
right: attempts that come at the same moment cannot all slip in under the limit.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from cellcensus.settings import AccessSettings
from db import audit
from db.passwords import hash_password, is_outdated, verify_password
from db.tables import Account
from db.types import utc_now

_DEFAULTS = AccessSettings()


def confirm_password(
    session: Session, account_key: int, password: str, *, settings: AccessSettings = _DEFAULTS
) -> bool:
    """Whether it is this account's password.

    Commit the session whatever the answer: a failure that is rolled back is not counted.
    """
    account = session.get(Account, account_key)
    if account is None or not begin_attempt(session, account, settings):
        verify_password(None, password)
        return False
    right = verify_password(account.password_hash, password)
    end_attempt(session, account, password, right=right)
    return right


def begin_attempt(session: Session, account: Account, settings: AccessSettings) -> bool:
    """Count an attempt; false while the account is locked or closed, which counts nothing."""
    session.refresh(account, with_for_update=True)
    now = utc_now()
    if not account.active or _is_locked(account, settings, now):
        return False
    account.failed_logins += 1
    excess = account.failed_logins - settings.attempts
    if excess >= 0:
        seconds = min(
            settings.lock_seconds * 2.0 ** min(excess, 30), settings.longest_lock_minutes * 60
        )
        account.locked_until = now + timedelta(seconds=seconds)
    session.flush()
    return True


def _is_locked(account: Account, settings: AccessSettings, now: datetime) -> bool:
    if account.locked_until is None:
        return False
    left = account.locked_until - now
    # No lock is longer than the longest: one that seems to be is of a clock that was set back.
    return timedelta(0) < left <= timedelta(minutes=settings.longest_lock_minutes)


def end_attempt(session: Session, account: Account, password: str, *, right: bool) -> None:
    """Take the count back after a right password; write a failure into the audit trail."""
    if not right:
        _record_failure(session, account)
        return
    account.failed_logins, account.locked_until = 0, None
    if is_outdated(account.password_hash):
        account.password_hash = hash_password(password)
    session.flush()


def _record_failure(session: Session, account: Account) -> None:
    until = account.locked_until
    audit.record(
        session,
        actor="system",
        action="account.locked" if until else "account.sign_in_failed",
        subject=f"account:{account.name}",
        after={
            "failures": account.failed_logins,
            "locked_until": until.isoformat(timespec="seconds") if until else None,
        },
    )
