import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from cellcensus.settings import AccessSettings
from db import accounts, sessions
from db.schema import upgrade
from db.store import Store
from db.tables import AuditEntry, LoginSession
from flows import signin
from flows.signin import confirm_password, sign_in
from tests.hashes import quick_hashes

__all__ = ["quick_hashes"]

pytestmark = pytest.mark.usefixtures("quick_hashes")
PASSWORD = "a long password"
ACCESS = AccessSettings(attempts=4)


@pytest.fixture
def store(address):
    upgrade(address)
    made = Store(address)
    with made.unit_of_work() as session:
        accounts.add_account(
            session, name="ada", full_name="Ada", role="technician", password=PASSWORD
        )
        session.commit()
    yield made
    made.close()


def who(store, token):
    with store.reading() as session:
        found = sessions.find_session(session, token, ACCESS)
    return found and found[0].name


def test_the_right_password_begins_a_new_session_and_ends_the_earlier(store):
    first = sign_in(store, ACCESS, "Ada", PASSWORD)
    second = sign_in(store, ACCESS, "ada", PASSWORD, earlier=first.token)
    assert first.token != second.token
    assert who(store, second.token) == "ada"
    assert who(store, first.token) is None
    with store.reading() as session:  # nor is anything left of it
        assert len(session.scalars(select(LoginSession)).all()) == 1


@pytest.mark.parametrize(("name", "password"), [("ada", "wrong"), ("eve", PASSWORD), ("", "")])
def test_anything_else_begins_none_after_one_look_at_a_password(store, name, password, monkeypatch):
    looked = []
    real = signin.verify_password
    monkeypatch.setattr(
        signin, "verify_password", lambda stored, word: looked.append(stored) or real(stored, word)
    )
    assert sign_in(store, ACCESS, name, password) is None
    assert len(looked) == 1


def test_a_locked_account_takes_one_look_too(store, monkeypatch):
    for _ in range(4):
        assert not sign_in(store, ACCESS, "ada", "wrong")
    looked = []
    monkeypatch.setattr(signin, "verify_password", lambda stored, _: looked.append(stored))
    assert sign_in(store, ACCESS, "ada", PASSWORD) is None
    assert looked == [None]


def test_signing_and_signing_in_share_one_count(store):
    with store.reading() as session:
        key = accounts.get_account(session, "ada").key
    assert confirm_password(store, ACCESS, key, PASSWORD)
    for _ in range(2):
        assert not confirm_password(store, ACCESS, key, "wrong")
        assert sign_in(store, ACCESS, "ada", "wrong") is None
    assert not confirm_password(store, ACCESS, key, PASSWORD)
    with store.reading() as session:
        found = session.scalars(select(AuditEntry.action).order_by(AuditEntry.number)).all()
    assert found == ["account.added", *["account.sign_in_failed"] * 3, "account.locked"]


def test_many_guesses_at_one_moment_get_no_more_looks(store, monkeypatch):
    looked = []
    real = signin.verify_password

    def watched(stored, password):
        looked.append(stored)
        return real(stored, password)

    monkeypatch.setattr(signin, "verify_password", watched)
    meet = threading.Barrier(12)

    def guess(number):
        meet.wait()
        return sign_in(store, ACCESS, "ada", f"guess {number}")

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(guess, range(12))) == {None}
    assert sum(stored is not None for stored in looked) == 4


def test_a_password_that_is_changed_while_it_is_looked_at_is_not_right(store, monkeypatch):
    real = signin.verify_password

    def slow(stored, password):
        with store.unit_of_work() as session:
            account = accounts.get_account(session, "ada")
            accounts.set_password(session, account, "another password")
            session.commit()
        return real(stored, password)

    monkeypatch.setattr(signin, "verify_password", slow)
    assert sign_in(store, ACCESS, "ada", PASSWORD) is None
