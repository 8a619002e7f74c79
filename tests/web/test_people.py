import pytest
from sqlalchemy import select

from db import accounts
from db.tables import AuditEntry
from tests.hashes import quick_hashes

__all__ = ["quick_hashes"]

pytestmark = pytest.mark.usefixtures("quick_hashes")
PASSWORD = "a long password"
NEW = {"name": "Ada", "full_name": "Ada L", "role": "technician", "password": PASSWORD}


@pytest.fixture
def boss(client_as):
    return client_as("administrator", "boss")


def find(store, name="ada"):
    with store.reading() as session:
        return accounts.find_account(session, name)


def add(client, **values):
    return client.post("/people", data={**NEW, "again": PASSWORD, **values})


def test_a_person_is_added_with_a_password_for_once(boss, store):
    answer = add(boss)
    assert answer.status_code == 200
    assert "The account was added" in answer.text
    assert ">ada</th>" in answer.text
    assert find(store).password_temporary
    with store.reading() as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "account.added")
        ).one()
    assert (entry.actor, entry.subject) == ("boss", "account:ada")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"again": "something else"}, "the two passwords differ"),
        ({"password": "short", "again": "short"}, "12 are needed"),
        ({"role": "janitor"}, "no role"),
        ({"name": "boss"}, "already"),
        ({"name": "<b>x"}, "cannot be an account"),
    ],
)
def test_what_cannot_be_added_is_said_on_the_page(boss, store, values, words):
    answer = add(boss, **values)
    assert answer.status_code == 422
    assert words in answer.text
    assert "<b>x" not in answer.text
    assert find(store) is None


def test_role_closing_reopening_and_password(boss, store):
    add(boss)
    for path, form, words in (
        ("role", {"role": "reviewer"}, "role was changed"),
        ("close", {}, "was closed"),
        ("reopen", {}, "open again"),
        ("password", {"password": "another long one", "again": "another long one"}, "was set"),
    ):
        answer = boss.post(f"/people/ada/{path}", data=form)
        assert answer.status_code == 200, path
        assert words in answer.text
    account = find(store)
    assert (account.role, account.active, account.password_temporary) == ("reviewer", True, True)
    assert boss.post("/people/nobody/close").status_code == 404


def test_the_last_administrator_is_kept(boss, store):
    for path, form in (("close", {}), ("role", {"role": "viewer"})):
        answer = boss.post(f"/people/boss/{path}", data=form)
        assert answer.status_code == 422
        assert "last administrator" in answer.text
    assert boss.get("/people").status_code == 200


def test_who_has_a_temporary_password_changes_it_first(boss, stranger, store):
    add(boss)
    from tests.web.test_signin import sign_in

    assert sign_in(stranger).status_code == 303
    for page in ("/", "/studies", "/flags"):
        assert stranger.get(page).headers["location"] == "/account"
    page = stranger.get("/account").text
    assert "chosen by somebody else" in page
    assert 'href="/studies"' not in page
    from tests.web.test_signin import asked

    form = {"present": PASSWORD, "password": "my own words", "again": "my own words"}
    answer = stranger.post("/account/password", data={**form, "csrf": asked(stranger, "/account")})
    assert answer.headers["location"] == "/account?done=password"
    assert stranger.get("/studies").status_code == 200
    assert not find(store).password_temporary
