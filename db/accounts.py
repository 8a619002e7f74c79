"""Accounts: who there is, in which role, and every change of it in the audit trail."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cellcensus.errors import UsageError
from cellcensus.rights import ROLES
from cellcensus.settings import AccessSettings
from db import audit, sessions
from db.passwords import check_new_password, hash_password
from db.tables import Account
from db.types import utc_now

ADMINISTRATOR = "administrator"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
# The trail of changes means the service itself by these.
_TAKEN = frozenset({"system", "monitor"})
_DEFAULTS = AccessSettings()


def add_account(
    session: Session,
    *,
    name: str,
    full_name: str,
    role: str,
    password: str,
    settings: AccessSettings = _DEFAULTS,
    temporary: bool = False,
) -> Account:
    """Add a person.

    Parameters
    ----------
    name
        What the person signs in with; letters are taken as small ones.
    full_name
        As it stands on what the person signs.
    temporary
        The password was chosen by somebody else, and has to be changed at the first sign-in.

    Raises
    ------
    UsageError
        The name is taken or cannot be used, the role is none, or the password is too short.
    """
    name = normal_name(name)
    _check_role(role)
    full_name = " ".join(full_name.split())
    if not full_name.isprintable():
        raise UsageError(
            "the full name has signs that cannot be seen", next_step="type it; it stands on paper"
        )
    if not full_name:
        raise UsageError("the full name is empty", next_step="give it; it stands on what is signed")
    if not _NAME.fullmatch(name) or name in _TAKEN:
        raise UsageError(
            f"{name!r} cannot be an account's name",
            next_step="use up to 64 letters a–z, digits, dots, hyphens and underscores; "
            f"{' and '.join(sorted(_TAKEN))} are taken by the service",
        )
    if find_account(session, name) is not None:
        raise UsageError(f"there is an account {name!r} already", next_step="choose another name")
    check_new_password(password, name=name, fewest=settings.password_length)
    account = Account(
        name=name,
        full_name=full_name,
        role=role,
        password_hash=hash_password(password),
        password_temporary=temporary,
    )
    session.add(account)
    session.flush()
    after = {"role": role, "full_name": account.full_name}
    _record(session, account, "account.added", after=after)
    return account


def normal_name(name: str) -> str:
    """An account's name as it is stored."""
    return name.strip().lower()


def find_account(session: Session, name: str) -> Account | None:
    """The account of that name."""
    return session.scalar(select(Account).where(Account.name == normal_name(name)))


def get_account(session: Session, name: str) -> Account:
    """The account of that name.

    Raises
    ------
    UsageError
        There is none.
    """
    account = find_account(session, name)
    if account is None:
        raise UsageError(
            f"there is no account {name!r}", next_step="`cellcensus users list` shows all"
        )
    return account


def list_accounts(session: Session) -> Sequence[Account]:
    """All accounts, by name; the closed ones too."""
    return session.scalars(select(Account).order_by(Account.name)).all()


def is_empty(session: Session) -> bool:
    """Whether there is no account yet."""
    return session.scalar(select(Account.key).limit(1)) is None


def set_role(session: Session, account: Account, role: str) -> None:
    """Give an account another role; its sessions end.

    Raises
    ------
    UsageError
        The role is none, or nobody would be left to manage accounts.
    """
    _check_role(role)
    if account.role == role:
        return
    if role != ADMINISTRATOR:
        _keep_an_administrator(session, account)
    before, account.role = account.role, role
    _record(session, account, "account.role", before={"role": before}, after={"role": role})
    sessions.end_sessions(session, account.key)


def close_account(session: Session, account: Account) -> None:
    """Close an account: nobody signs in with it any more, and its sessions end.

    Raises
    ------
    UsageError
        Nobody would be left to manage accounts.
    """
    if not account.active:
        return
    _keep_an_administrator(session, account)
    account.active = False
    _record(session, account, "account.closed", before={"active": True}, after={"active": False})
    sessions.end_sessions(session, account.key)


def reopen_account(session: Session, account: Account) -> None:
    """Open a closed account again."""
    if account.active:
        return
    account.active = True
    account.failed_logins, account.locked_until = 0, None
    _record(session, account, "account.reopened", before={"active": False}, after={"active": True})


def set_password(
    session: Session,
    account: Account,
    password: str,
    *,
    settings: AccessSettings = _DEFAULTS,
    temporary: bool = False,
) -> None:
    """Give an account another password; its sessions end and its lock is lifted.

    Raises
    ------
    UsageError
        The password is too short, or is the account's name.
    """
    check_new_password(password, name=account.name, fewest=settings.password_length)
    account.password_hash = hash_password(password)
    account.password_temporary = temporary
    account.password_changed_at = utc_now()
    account.failed_logins, account.locked_until = 0, None
    _record(session, account, "account.password", after={"temporary": temporary})
    sessions.end_sessions(session, account.key)


def _record(
    session: Session,
    account: Account,
    action: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any],
) -> None:
    session.flush()
    subject = f"account:{account.name}"
    audit.record(session, action=action, subject=subject, before=before, after=after)


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise UsageError(
            f"there is no role {role!r}", next_step=f"choose one of {', '.join(ROLES)}"
        )


def _keep_an_administrator(session: Session, account: Account) -> None:
    # Locked in one order: two administrators who close each other at once must not both succeed.
    left = session.scalars(
        select(Account)
        .where(Account.role == ADMINISTRATOR, Account.active)
        .order_by(Account.key)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if [other.key for other in left] == [account.key]:
        raise UsageError(
            f"{account.name!r} is the last administrator",
            next_step="make another account an administrator first",
        )
