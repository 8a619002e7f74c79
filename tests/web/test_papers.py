import hashlib

import pytest

from db.reports import current_report
from db.studies import find_study, specimen_keys
from tests.reports.reading import pdf_text

STUDY = "/studies/demo/report.pdf"
SPECIMEN = "/studies/demo/specimens/{}/report.pdf"


@pytest.fixture
def written(home, store):
    """A PDF beside the report of S000."""
    content = b"%PDF-1.7 as it was written"
    with store.unit_of_work() as session:
        key = find_study(session, "demo").key
        row = current_report(session, key, specimen_keys(session, key)["S000"])
        row.recipe = {"pdf_sha256": hashlib.sha256(content).hexdigest()}
        (home / row.path).with_suffix(".pdf").write_bytes(content)
        session.commit()
    return content


def test_the_pdf_that_was_written_is_given_out(client, written):
    answer = client.get(SPECIMEN.format("S000"))
    assert answer.content == written
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("inline; filename*=UTF-8''S000.pdf")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_without_a_file_the_pdf_is_drawn(client, home):
    answer = client.get(SPECIMEN.format("S001"))
    assert answer.status_code == 200
    assert "No composition has been predicted" in pdf_text(answer.content)
    german = client.get(SPECIMEN.format("S001"), params={"language": "de"})
    assert "keine Zusammensetzung bestimmt" in pdf_text(german.content)


def test_a_study_has_one_too(client, home):
    text = pdf_text(client.get(STUDY).content)
    assert "STUDY REPORT" in text
    assert "S002" in text


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/studies/nowhere/report.pdf", 404),
        ("/studies/nowhere/specimens/S000/report.pdf", 404),
        (SPECIMEN.format("nobody"), 404),
        (SPECIMEN.format("S003"), 404),  # waiting: there is nothing to report
        ("/studies/demo/specimens/S000/versions/1/report.pdf", 404),  # nothing was signed
        ("/studies/nowhere/specimens/S000/versions/1/report.pdf", 404),
        ("/studies/demo/specimens/S000/versions/0/report.pdf", 422),
        (f"/studies/demo/specimens/S000/versions/{10**30}/report.pdf", 422),
        (f"{STUDY}?language=fr", 422),
    ],
)
def test_what_is_not_there_is_not_found(client, home, address, status):
    assert client.get(address).status_code == status


def test_a_stranger_gets_nothing(stranger, home):
    for address in (STUDY, SPECIMEN.format("S000")):
        answer = stranger.get(address)
        assert answer.status_code in (303, 401)
        assert not answer.content.startswith(b"%PDF")
