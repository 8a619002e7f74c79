from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from cellcensus.settings import AccessSettings
from db import accounts, passwords
from db.signin import confirm_password
from db.tables import Account, AuditEntry
from db.types import utc_now
from tests.hashes import quick_hashes

__all__ = ["quick_hashes"]

pytestmark = pytest.mark.usefixtures("quick_hashes")
PASSWORD = "a long password"
ACCESS = AccessSettings(attempts=3, lock_seconds=60, longest_lock_minutes=5)


@pytest.fixture
def key(store):
    with store.unit_of_work() as session:
        account = accounts.add_account(
            session, name="ada", full_name="Ada", role="technician", password=PASSWORD
        )
        session.commit()
    return account.key


def confirm(store, key, password):
    with store.unit_of_work() as session:
        right = confirm_password(session, key, password, settings=ACCESS)
        session.commit()
    return right


def account(store, key):
    with store.reading() as session:
        return session.get_one(Account, key)


def wait(store, seconds):
    """Let time pass, by moving what was written down into the past."""
    with store.unit_of_work() as session:
        row = session.scalars(select(Account)).one()
        row.locked_until -= timedelta(seconds=seconds)
        session.commit()


def actions(store):
    with store.reading() as session:
        found = session.execute(
            select(AuditEntry.action, AuditEntry.after).order_by(AuditEntry.number)
        ).all()
    return [(action, after.get("failures")) for action, after in found][1:]


def test_right_is_right_and_wrong_is_wrong(store, key):
    assert confirm(store, key, PASSWORD)
    assert not confirm(store, key, PASSWORD.upper())
    assert not confirm(store, key + 1, PASSWORD)


def test_failures_lock_even_against_the_right_password_and_the_lock_ends(store, key):
    for _ in range(3):
        assert not confirm(store, key, "wrong")
    assert not confirm(store, key, PASSWORD)
    wait(store, 59)
    assert not confirm(store, key, PASSWORD)
    wait(store, 2)
    assert confirm(store, key, PASSWORD)
    assert (account(store, key).failed_logins, account(store, key).locked_until) == (0, None)
    expected = [("account.sign_in_failed", 1), ("account.sign_in_failed", 2)]
    assert actions(store) == [*expected, ("account.locked", 3)]


def test_the_lock_grows_to_its_limit(store, key):
    locks = []
    for _ in range(8):
        assert not confirm(store, key, "wrong")
        until = account(store, key).locked_until
        if until is not None:
            locks.append(round((until - utc_now()).total_seconds(), -1))
            wait(store, 10_000)
    assert locks == [60, 120, 240, 300, 300, 300]


def test_a_success_forgets_earlier_failures(store, key):
    for _ in range(4):
        assert not confirm(store, key, "wrong")
        assert not confirm(store, key, "wrong")
        assert confirm(store, key, PASSWORD)


def test_attempts_while_locked_are_not_counted_or_recorded(store, key):
    for _ in range(10):
        confirm(store, key, "wrong")
    assert account(store, key).failed_logins == 3
    assert len(actions(store)) == 3


def test_a_closed_account_confirms_nothing(store, key):
    with store.unit_of_work() as session:
        session.execute(update(Account).values(active=False))
        session.commit()
    assert not confirm(store, key, PASSWORD)


def test_a_hash_of_older_parameters_is_renewed_by_the_right_password(store, key, monkeypatch):
    before = account(store, key).password_hash
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(2, 16, 1))
    assert not confirm(store, key, "wrong")
    assert account(store, key).password_hash == before
    assert confirm(store, key, PASSWORD)
    assert "m=16,t=2" in account(store, key).password_hash
    assert confirm(store, key, PASSWORD)
