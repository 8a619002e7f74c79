import re

import pytest

from db.tokens import list_tokens


def made(answer):
    return re.search(r"<code>(cct_[\w-]{43})</code>", answer.text)


def rows(store):
    with store.reading() as session:
        return list_tokens(session)


@pytest.fixture
def scientist(client_as):
    return client_as("scientist")


def test_a_token_is_shown_once_and_reads(scientist, stranger, store):
    answer = scientist.post("/account/tokens", data={"label": "notebook", "days": "7"})
    assert answer.status_code == 200
    secret = made(answer).group(1)
    assert secret not in scientist.get("/account/tokens").text
    headers = {"Authorization": f"Bearer {secret}"}
    assert stranger.get("/api/v1/status", headers=headers).status_code == 200


def test_a_token_is_revoked(scientist, stranger, store):
    secret = made(scientist.post("/account/tokens", data={"label": "notebook"})).group(1)
    ((_, token),) = rows(store)
    answer = scientist.post(f"/account/tokens/{token.key}/revoke", follow_redirects=False)
    assert answer.status_code == 303
    headers = {"Authorization": f"Bearer {secret}"}
    assert stranger.get("/api/v1/status", headers=headers).status_code == 401
    assert "revoked" in scientist.get("/account/tokens").text


def test_nobody_sees_or_revokes_tokens_of_others(scientist, client_as, store):
    scientist.post("/account/tokens", data={"label": "a notebook"})
    ((_, token),) = rows(store)
    other = client_as("administrator")
    assert "a notebook" not in other.get("/account/tokens").text
    assert other.post(f"/account/tokens/{token.key}/revoke").status_code == 404
    assert rows(store)[0][1].revoked_at is None


@pytest.mark.parametrize("role", ["viewer", "technician", "reviewer"])
def test_who_makes_no_tokens_is_refused_and_told(client_as, store, role):
    client = client_as(role)
    assert client.post("/account/tokens", data={"label": "x"}).status_code == 403
    page = client.get("/account/tokens")
    assert page.status_code == 200
    assert "Make the token" not in page.text
    assert rows(store) == []


@pytest.mark.parametrize(
    "wrong", [{"label": " "}, {"label": "x" * 90}, {"label": "x", "days": "0"}, {"days": "x"}]
)
def test_what_cannot_be_made_is_said(scientist, store, wrong):
    assert scientist.post("/account/tokens", data=wrong).status_code == 422
    assert rows(store) == []


def test_without_the_pages_token_nothing_is_made(scientist, store):
    del scientist.headers["X-CSRF-Token"]
    assert scientist.post("/account/tokens", data={"label": "x"}).status_code == 403
    assert rows(store) == []
