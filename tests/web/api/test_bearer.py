from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from cellcensus.errors import UsageError
from db.accounts import close_account, get_account
from db.tables import ApiToken
from db.tokens import add_token, find_token, list_tokens, revoke_token, state_of
from db.types import utc_now
from tests.web.api.conftest import API, make_token


@pytest.fixture
def ask(app):
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:

        def get(token, path=f"{API}/status", method="GET"):
            return client.request(method, path, headers={"Authorization": f"Bearer {token}"})

        yield get


@pytest.mark.parametrize("token", ["", "x", "cct_" + "a" * 43, "Bearer"])
def test_without_a_token_nothing_is_told(laboratory, ask, token):
    answer = ask(token)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_token_opens_the_interface_and_nothing_else(laboratory, ask, token):
    assert ask(token).status_code == 200
    for path in ("/", "/studies", "/account"):
        assert ask(token, path).status_code == 303  # to the sign-in page


def test_a_token_only_reads(laboratory, ask):
    token = make_token(laboratory.store, "ada")  # a reviewer, who may do a lot
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = ask(token, method=method)
        assert answer.status_code == 405
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_revoked_token_is_dead_at_once(laboratory, ask, token):
    with laboratory.store.unit_of_work() as session:
        (key,) = session.scalars(select(ApiToken.key))
        assert state_of(revoke_token(session, key)) == "revoked"
        session.commit()
    assert ask(token).status_code == 401


def test_a_token_dies_with_its_account(laboratory, ask, token):
    with laboratory.store.unit_of_work() as session:
        close_account(session, get_account(session, "bob"))
        session.commit()
    assert ask(token).status_code == 401


def test_a_token_ends_when_it_was_to_end(laboratory, ask):
    token = make_token(laboratory.store, "bob", days=1)
    assert ask(token).status_code == 200
    with laboratory.store.unit_of_work() as session:
        assert find_token(session, token, utc_now() + timedelta(days=2)) is None
        session.execute(update(ApiToken).values(expires_at=utc_now()))
        session.commit()
    assert ask(token).status_code == 401


def test_only_the_hash_of_a_token_is_kept_and_its_use_is_written_down(laboratory, ask, token):
    ask(token)
    with laboratory.store.reading() as session:
        ((account, row),) = list_tokens(session)
        assert account.name == "bob"
        assert row.used_at is not None
        assert token not in str(vars(row))


def test_nobody_revokes_another_persons_token(laboratory, token):
    with laboratory.store.unit_of_work() as session:
        (key,) = session.scalars(select(ApiToken.key))
        with pytest.raises(UsageError):
            revoke_token(session, key, account_key=laboratory.ada.key)


@pytest.mark.parametrize("label", ["", "  ", "x" * 81])
def test_a_token_says_what_it_is_for(laboratory, label):
    with laboratory.store.unit_of_work() as session, pytest.raises(UsageError):
        add_token(session, get_account(session, "bob"), label)
