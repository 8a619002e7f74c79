import json

import pytest
from fastapi.testclient import TestClient
from fhir.resources.R4B.bundle import Bundle
from hl7apy.parser import parse_message

from tests.flows.review.conftest import STUDY
from tests.web.conftest import signed_in

PATH = f"/specimens/{STUDY}/U1/report"


def report(machine, form, path=PATH):
    return machine(path, format=form)


def statuses(bundle):
    return {
        entry["resource"]["status"]
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] in ("DiagnosticReport", "Observation")
    }


def test_before_its_release_a_report_is_preliminary(laboratory, machine):
    status, bundle = report(machine, "fhir")
    assert status == 200
    Bundle.model_validate_json(json.dumps(bundle))
    assert statuses(bundle) == {"preliminary"}
    _, message = report(machine, "hl7")
    assert b"|HM|P\r" in message
    assert report(machine, "html")[0] == 404  # none was written yet


def test_a_released_report_is_final_in_every_form(released, machine):
    _, bundle = report(machine, "fhir")
    Bundle.model_validate_json(json.dumps(bundle))
    assert statuses(bundle) == {"final"}
    _, message = report(machine, "hl7")
    assert parse_message(message.decode(), validation_level=2).validate()
    assert report(machine, "pdf")[1].startswith(b"%PDF")
    _, page = report(machine, "html")
    assert b"Ada R." in page
    assert page == next((released.ctx.home / "reports").rglob("*v1*")).read_bytes()


def test_people_print_what_machines_read(released, app, machine):
    _, page = report(machine, "html")
    with TestClient(app) as client:
        signed_in(client, released.store, "viewer")
        answer = client.get(f"/studies/{STUDY}/specimens/U1/report")
    assert answer.content == page
    assert "style-src 'sha256-" in answer.headers["content-security-policy"]


def test_an_altered_file_is_drawn_anew_from_what_was_signed(released, machine):
    _, page = report(machine, "html")
    file = next((released.ctx.home / "reports").rglob("*v1*"))
    file.write_bytes(b"something else")
    assert report(machine, "html") == (200, page)


@pytest.mark.parametrize("form", ["fhir", "hl7", "html"])
def test_the_type_of_a_document_is_said(released, machine, form):
    answer = machine.client.get("/api/v1" + PATH, params={"format": form})
    wanted = {"fhir": "application/fhir+json", "hl7": "application/hl7-v2", "html": "text/html"}
    assert answer.headers["content-type"].startswith(wanted[form])


def test_no_other_form_is_known(released, machine):
    assert report(machine, "docx")[0] == 422
