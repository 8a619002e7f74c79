import re

import pytest
from fastapi.testclient import TestClient

from db import accounts
from tests.hashes import quick_hashes
from tests.web.conftest import signed_in

__all__ = ["quick_hashes"]

pytestmark = pytest.mark.usefixtures("quick_hashes")
PASSWORD = "a long password"


@pytest.fixture
def ada(store):
    with store.unit_of_work() as session:
        accounts.add_account(
            session, name="ada", full_name="Ada L", role="technician", password=PASSWORD
        )
        session.commit()


@pytest.fixture
def client(ada, client_as):
    return client_as("technician", "ada")


def change(client, **values):
    form = {"present": PASSWORD, "password": "another one", "again": "another one", **values}
    return client.post("/account/password", data=form)


def test_the_page_says_who_one_is_and_what_one_may_do(client):
    text = client.get("/account").text
    assert "Ada L" in text
    assert "sign a report; where one person is enough, this releases it" in text
    assert "manage accounts" not in text


def test_a_changed_password_ends_all_other_sessions_and_renews_this_one(client, app, store):
    token = client.cookies["cellcensus_session"]
    with TestClient(app, follow_redirects=False) as other:
        signed_in(other, store, "technician", "ada")
        answer = change(client, password="another long one", again="another long one")
        assert answer.status_code == 200
        assert "You are signed in here only" in answer.text
        assert client.cookies["cellcensus_session"] != token
        assert other.get("/").status_code == 303
        other.cookies.clear()
        other.cookies.set("cellcensus_session", token)
        assert other.get("/").status_code == 303


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"present": "wrong"}, "present password is wrong"),
        ({"again": "different"}, "two new passwords differ"),
        ({}, "12 are needed"),
    ],
)
def test_what_cannot_be_changed_is_said_and_nothing_ends(client, values, words):
    answer = change(client, **values)
    assert answer.status_code == 422
    assert words in answer.text
    assert client.get("/account").url.path == "/account"


def test_guessing_the_present_password_locks_it(client):
    for _ in range(5):
        assert change(client, present="wrong").status_code == 422
    good = change(client, password="another long one", again="another long one")
    assert good.status_code == 422
    assert "wrong too often" in good.text


def test_own_sessions_can_be_ended_and_those_of_others_not(client, client_as, app, store):
    with TestClient(app, follow_redirects=False) as other:
        signed_in(other, store, "technician", "ada")
        rosa = client_as("reviewer", "rosa")
        text = client.get("/account").text
        (theirs,) = re.findall(r'action="(/account/sessions/\d+/end)"', text)
        assert rosa.post(theirs).status_code == 200
        assert other.get("/").status_code == 200
        assert "this one" in text
        assert "The session was ended" in client.post(theirs).text
        assert other.get("/").status_code == 303
