import logging
import re

import pytest
from fastapi import Depends
from fastapi.testclient import TestClient

from cellcensus.errors import StoreError
from cellcensus.rights import Right
from db.store import Store
from web.access import may
from web.app import create_app


@pytest.fixture
def broken(app, client_as):
    @app.get("/broken/{specimen_id}", dependencies=[Depends(may(Right.READ))])
    def broken(specimen_id: str) -> None:
        raise RuntimeError("secret inside")

    return client_as("viewer")


def test_an_error_has_an_id_and_no_trace(broken, caplog):
    with caplog.at_level(logging.ERROR, logger="cellcensus.web"):
        answer = broken.get("/broken/DONOR-7")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    (found,) = re.findall(r"<code>([0-9a-f]{12})</code>", answer.text)
    assert found in caplog.records[0].getMessage()
    assert "DONOR-7" not in caplog.records[0].getMessage()
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_foreign_host_name_is_refused(settings):
    with TestClient(create_app(settings, hosts=("localhost",))) as client:
        assert client.get("/healthz", headers={"host": "evil.example"}).status_code == 400
        assert client.get("/healthz", headers={"host": "localhost:8000"}).status_code == 200


def test_the_work_list_is_only_read(client):
    for method in ("post", "put", "delete", "patch"):
        assert getattr(client, method)("/").status_code == 405


def test_a_silent_database_is_said_with_the_next_step(client, monkeypatch):
    def refuse(self):
        raise StoreError("the database refused", next_step="see that it runs")

    monkeypatch.setattr(Store, "reading", refuse)
    answer = client.get("/")
    assert answer.status_code == 503
    assert "see that it runs" in answer.text
    assert client.get("/healthz").status_code == 503
