"""Signed reports: shown as they were signed, or said not to be what was signed."""

import pytest
from sqlalchemy import select, update

from db.tables import ReportSignature, ReportVersion
from tests.flows.review.conftest import STUDY
from tests.web.api.conftest import (
    address,
    app,
    calls,
    home,
    laboratory,
    machine,
    opened,
    postgres,
    postgres_address,
    released,
    study,
    token,
)
from tests.web.conftest import client_as

__all__ = [
    "address",
    "app",
    "calls",
    "client_as",
    "home",
    "laboratory",
    "machine",
    "opened",
    "postgres",
    "postgres_address",
    "released",
    "study",
    "token",
]

PAGE = f"/studies/{STUDY}/specimens/U1"
SIGNED = (
    f"{PAGE}/report",
    f"{PAGE}/report.pdf",
    f"{PAGE}/versions/1",
    f"{PAGE}/versions/1/report.pdf",
)


@pytest.fixture
def store(laboratory):
    return laboratory.store


def alter(store, table, **values):
    with store.unit_of_work() as session:
        session.execute(update(table).values(**values))
        session.commit()


def other_content(store):
    with store.reading() as session:
        content = session.scalars(select(ReportVersion.content)).one()
    content["rows"][0]["fraction"]["value"] = 0.99
    return content


ALTERATIONS = {
    "the content": lambda store: alter(store, ReportVersion, content=other_content(store)),
    "the pictures": lambda store: alter(store, ReportVersion, pictures={}),
    "the signature": lambda store: alter(store, ReportSignature, report_sha256="0" * 64),
    "the name": lambda store: alter(store, ReportSignature, full_name="Eve R."),
    "the hash of the file": lambda store: alter(store, ReportVersion, file_sha256="0" * 64),
}


@pytest.mark.parametrize("what", ALTERATIONS)
def test_what_is_not_what_was_signed_is_not_shown_as_signed(
    released, store, client_as, machine, what
):
    client = client_as("reviewer", "rosa")
    for path in SIGNED:
        assert client.get(path).status_code == 200, path
    ALTERATIONS[what](store)
    for path in SIGNED:
        answer = client.get(path)
        assert answer.status_code == 409, path
        assert "not what was signed any more" in answer.text
        assert "Tell whoever runs the service" in answer.text
    page = client.get(PAGE).text
    assert "Version 1 is not what was signed any more" in page
    assert "Not as signed" in page
    assert "Nothing was changed since" not in page
    assert f"{PAGE}/versions/1" not in page
    for form in ("fhir", "hl7", "html", "pdf"):
        status, problem = machine(f"/specimens/{STUDY}/U1/report", format=form)
        assert status == 409, form
        assert "not what was signed any more" in problem["detail"]
    assert machine(f"/specimens/{STUDY}/U1")[0] == 409


def test_a_damaged_file_is_drawn_again_from_what_was_signed(released, client_as):
    client = client_as("reviewer", "rosa")
    page = client.get(f"{PAGE}/versions/1")
    file = next((released.ctx.home / "reports").rglob("*v1*"))
    file.write_bytes(file.read_bytes().replace(b"5", b"6"))
    for path in (f"{PAGE}/versions/1", f"{PAGE}/report"):
        assert client.get(path).content == page.content
    file.unlink()
    assert client.get(f"{PAGE}/versions/1").content == page.content
