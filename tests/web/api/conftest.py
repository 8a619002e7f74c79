"""A predicted study with a released report, and machines that read it."""

import pytest
from fastapi.testclient import TestClient

from db.accounts import get_account
from db.tokens import add_token
from flows.report import report_study
from flows.review import comment, see_bin, sign
from tests.databases import postgres, postgres_address
from tests.flows.conftest import calls, home, opened, study
from tests.flows.review.conftest import laboratory
from web.app import create_app

__all__ = [
    "calls",
    "home",
    "laboratory",
    "opened",
    "postgres",
    "postgres_address",
    "study",
]

API = "/api/v1"


@pytest.fixture
def address(tmp_path):
    return f"sqlite:///{tmp_path / 'home' / 'cellcensus.sqlite'}"


@pytest.fixture
def released(laboratory):
    """The laboratory once U1 is released; P1, M1 and the others are not."""
    lab = laboratory
    report_study(lab.ctx, lab.folder.path)
    comment(*lab.at(), text="clotted?", seen=lab.bench().seen)
    seen = see_bin(*lab.at(), seen=lab.bench().seen)
    sign(*lab.signing(), meaning="released", seen=seen)
    return lab


@pytest.fixture
def token(laboratory):
    return make_token(laboratory.store, "bob")


@pytest.fixture
def app(laboratory):
    return create_app(laboratory.settings)


@pytest.fixture
def machine(app, token):
    """A client with a token, that gets the status and the JSON: ``machine("/studies")``."""
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers["Authorization"] = f"Bearer {token}"

        def get(path, **parameters):
            answer = client.get(API + path, params=parameters)
            return answer.status_code, answer.json() if "json" in _kind(answer) else answer.content

        get.client = client
        yield get


def make_token(store, name, **options):
    with store.unit_of_work() as session:
        secret = add_token(session, get_account(session, name), "test", **options).secret
        session.commit()
    return secret


def _kind(answer):
    return answer.headers.get("content-type", "")
