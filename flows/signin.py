"""Signing in and confirming a password, each step in a unit of work of its own.

The password is looked at between two short units of work: it takes a tenth of a second and more,
and nobody else could write meanwhile.
"""

from __future__ import annotations

from cellcensus.settings import AccessSettings
from db import accounts, sessions, signin
from db.passwords import verify_password
from db.sessions import Begun
from db.store import Store
from db.tables import Account


def sign_in(
    store: Store, settings: AccessSettings, name: str, password: str, *, earlier: str | None = None
) -> Begun | None:
    """Begin a session for whoever knows this name's password; ``None`` if it is wrong.

    ``None`` stands for every reason (no such name, wrong password, locked, closed), and takes the
    time of one password check in each case. ``earlier`` is the token of a session that the
    browser came with; it ends.
    """
    with store.reading() as session:
        account = accounts.find_account(session, name)
    if not _is_right(store, settings, account, password):
        return None
    assert account is not None
    with store.unit_of_work(account.name) as session:
        if earlier:
            sessions.end_session(session, earlier)
        sessions.delete_dead(session)
        begun = sessions.begin_session(session, account, settings)
        session.commit()
    return begun


def confirm_password(
    store: Store, settings: AccessSettings, account_key: int, password: str
) -> bool:
    """Whether it is this account's password, as a signature asks; failures count as at sign-in.

    To be called outside any unit of work.
    """
    with store.reading() as session:
        account = session.get(Account, account_key)
    return _is_right(store, settings, account, password)


def _is_right(store: Store, settings: AccessSettings, account: Account | None, word: str) -> bool:
    if account is None or not _begin(store, settings, account.key):
        verify_password(None, word)
        return False
    right = verify_password(account.password_hash, word)
    with store.unit_of_work() as session:
        current = session.get_one(Account, account.key)
        # Changed or closed while it was looked at: what was right is so no more.
        unchanged = current.password_changed_at == account.password_changed_at
        right = right and current.active and unchanged
        signin.end_attempt(session, current, word, right=right)
        session.commit()
    return right


def _begin(store: Store, settings: AccessSettings, key: int) -> bool:
    with store.unit_of_work() as session:
        counted = signin.begin_attempt(session, session.get_one(Account, key), settings)
        session.commit()
    return counted
