import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from cellcensus.errors import UsageError
from cellcensus.settings import AccessSettings
from db import accounts, sessions
from db.store import Store
from db.tables import Account, AuditEntry
from tests.hashes import quick_hashes

__all__ = ["quick_hashes"]

pytestmark = pytest.mark.usefixtures("quick_hashes")
PASSWORD = "a long password"


def add(store, name="ada", role="technician", **more):
    with store.unit_of_work("boss") as session:
        account = accounts.add_account(
            session, name=name, full_name="Ada  Lovelace", role=role, password=PASSWORD, **more
        )
        session.commit()
    return account


def change(store, name, do, *arguments, **keywords):
    with store.unit_of_work("boss") as session:
        do(session, accounts.get_account(session, name), *arguments, **keywords)
        session.commit()


def trail(store):
    with store.reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.number)).all()
        return [(entry.actor, entry.action, entry.subject) for entry in entries]


def find(store, name="ada"):
    with store.reading() as session:
        return accounts.find_account(session, name)


def sessions_of(store, account):
    with store.reading() as session:
        return len(sessions.open_sessions(session, account.key, AccessSettings()))


def begin(store, account):
    with store.unit_of_work() as session:
        sessions.begin_session(session, account, AccessSettings())
        session.commit()


def test_a_person_is_added_and_the_password_is_nowhere(store):
    add(store, " Ada ")
    account = find(store, "ADA")
    assert (account.name, account.full_name, account.role) == ("ada", "Ada Lovelace", "technician")
    assert PASSWORD not in account.password_hash
    assert trail(store) == [("boss", "account.added", "account:ada")]
    with store.reading() as session:
        entry = session.scalars(select(AuditEntry)).one()
    assert entry.after == {"role": "technician", "full_name": "Ada Lovelace"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": "ada"}, "already"),
        ({"name": "no spaces"}, "cannot be an account's name"),
        ({"name": "-x"}, "cannot be an account's name"),
        ({"name": "system"}, "cannot be an account's name"),
        ({"full_name": "Ada\u202e"}, "cannot be seen"),
        ({"role": "janitor"}, "no role"),
        ({"full_name": " "}, "full name"),
        ({"password": "short"}, "12 are needed"),
    ],
)
def test_what_cannot_be_added_is_refused(store, values, words):
    add(store)
    given = {"name": "bob", "full_name": "Bob", "role": "viewer", "password": PASSWORD, **values}
    with pytest.raises(UsageError, match=words), store.unit_of_work() as session:
        accounts.add_account(session, **given)


def test_the_fewest_characters_are_a_setting(store):
    with pytest.raises(UsageError, match="20 are needed"):
        add(store, settings=AccessSettings(password_length=20))


@pytest.mark.parametrize(
    ("do", "arguments", "action"),
    [
        (accounts.set_role, ["viewer"], "account.role"),
        (accounts.close_account, [], "account.closed"),
        (accounts.set_password, ["another password"], "account.password"),
    ],
)
def test_a_change_ends_all_sessions_and_is_in_the_trail(store, do, arguments, action):
    account = add(store)
    other = add(store, "bob")
    for _ in range(2):
        begin(store, account)
    begin(store, other)
    change(store, "ada", do, *arguments)
    assert sessions_of(store, account) == 0
    assert sessions_of(store, other) == 1
    assert trail(store)[-1] == ("boss", action, "account:ada")


def test_nothing_changed_is_nothing_recorded(store):
    add(store)
    change(store, "ada", accounts.set_role, "technician")
    change(store, "ada", accounts.reopen_account)
    assert len(trail(store)) == 1


def test_a_closed_account_can_be_opened_again(store):
    add(store)
    change(store, "ada", accounts.close_account)
    assert not find(store).active
    change(store, "ada", accounts.reopen_account)
    assert find(store).active
    assert [action for _, action, _ in trail(store)][1:] == ["account.closed", "account.reopened"]


def test_a_new_password_lifts_a_lock(store):
    account = add(store)
    with store.unit_of_work() as session:
        row = session.get_one(Account, account.key)
        row.failed_logins, row.locked_until = 9, row.created_at.replace(year=2999)
        session.commit()
    change(store, "ada", accounts.set_password, "another password", temporary=True)
    account = find(store)
    assert (account.failed_logins, account.locked_until) == (0, None)
    assert account.password_temporary


@pytest.mark.parametrize(
    ("do", "arguments"), [(accounts.set_role, ["viewer"]), (accounts.close_account, [])]
)
def test_the_last_administrator_stays(store, do, arguments):
    add(store, "root", "administrator")
    add(store, "old", "administrator")
    change(store, "old", accounts.close_account)  # a closed one does not count
    with pytest.raises(UsageError, match="last administrator"):
        change(store, "root", do, *arguments)
    assert find(store, "root").active
    assert find(store, "root").role == "administrator"


def test_two_administrators_who_close_each_other_leave_one(store):
    for name in ("one", "two"):
        add(store, name, "administrator")
    meet = threading.Barrier(2)

    def close(name):
        own = Store(store.address)
        meet.wait()
        try:
            change(own, name, accounts.close_account)
        except UsageError:
            return False
        finally:
            own.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(close, ("one", "two"))) == [False, True]


def test_an_unknown_name_is_said(store):
    with pytest.raises(UsageError, match="no account 'eve'"), store.reading() as session:
        accounts.get_account(session, "eve")
    with store.reading() as session:
        assert accounts.is_empty(session)
