import json
from dataclasses import replace
from datetime import datetime

import pytest

from cellcensus.settings import ReportSettings
from reports import fhir
from reports.content import ClassRow, Estimate, Signature, Status
from tests.reports import samples


def resources(content, kind):
    made = fhir.bundle(content)
    return [e["resource"] for e in made["entry"] if e["resource"]["resourceType"] == kind]


def observation(content, code):
    return next(
        o
        for o in resources(content, "Observation")
        if o["code"].get("coding", [{}])[0].get("code") == code
    )


@pytest.mark.parametrize(
    "content",
    [
        samples.specimen(),
        samples.specimen(rows=(), total_per_ul=Estimate(), model=None, instrument_id=None),
        samples.specimen(acquired_at=datetime(2026, 1, 2, 3, 4), laboratory=""),
        samples.signed(version=3, status=Status.CORRECTED, replaces="R-00", study="a study/ä"),
        samples.specimen(rows=(ClassRow("blast <x>", 1, Estimate(1.0, 0.9, 1.0)),)),
    ],
)
def test_the_bundle_is_valid_for_an_independent_library(content):
    from fhir.resources.R4B.bundle import Bundle

    made = json.dumps(fhir.bundle(content), allow_nan=False)
    back = Bundle.model_validate_json(made)
    signed = 1 if content.signature else 0
    assert len(back.entry) == 1 + 1 + 2 * len(content.rows) + 2 + signed


def test_values_codes_and_units():
    found = observation(samples.specimen(), "751-8")
    assert found["valueQuantity"] == {
        "value": 6.53,
        "unit": "10*3/uL",
        "system": "http://unitsofmeasure.org",
        "code": "10*3/uL",
    }
    share = observation(samples.specimen(), "770-8")["valueQuantity"]
    assert (share["value"], share["code"]) == (58.1, "%")


def test_the_interval_is_a_component_and_never_a_reference_range():
    found = observation(samples.specimen(), "751-8")
    (component,) = found["component"]
    assert component["valueRange"]["low"]["value"] == 6.18
    assert component["valueRange"]["high"]["value"] == 6.88
    assert found["referenceRange"][0]["low"]["value"] == 1.8
    assert found["referenceRange"][0]["high"]["value"] == 7.5


def test_only_a_certain_value_is_interpreted():
    content = samples.specimen()
    total = observation(content, "6690-2")
    assert total["interpretation"][0]["coding"][0]["code"] == "H"
    assert "interpretation" not in observation(content, "711-2")


def test_what_cannot_be_said_is_absent_and_not_zero():
    rows = tuple(replace(row, per_ul=Estimate()) for row in samples.rows())
    found = observation(samples.specimen(rows=rows), "751-8")
    assert "valueQuantity" not in found
    assert found["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert "component" not in found


def test_nothing_unsigned_is_final():
    for kind in ("DiagnosticReport", "Observation"):
        assert {r["status"] for r in resources(samples.specimen(), kind)} == {"preliminary"}
        assert {r["status"] for r in resources(samples.signed(), kind)} == {"final"}
        corrected = samples.signed(status=Status.CORRECTED, version=2)
        assert {r["status"] for r in resources(corrected, kind)} == {"corrected"}
    for status in (Status.FINAL, Status.CORRECTED):
        with pytest.raises(ValueError, match="without a signature"):
            fhir.bundle(samples.specimen(status=status))


def test_every_signature_has_its_provenance():
    first = Signature("B. Technician", "reviewed", samples.MOMENT, "cd" * 32)
    content = samples.signed(earlier_signatures=(first,), replaces="R-3f2a90c4d1e8")
    said = [
        (p["agent"][0]["who"]["display"], p["reason"][0]["text"])
        for p in resources(content, "Provenance")
    ]
    assert said == [("B. Technician", "reviewed"), ("A. Reviewer", "released")]
    report = resources(content, "DiagnosticReport")[0]
    for found in resources(content, "Provenance"):
        assert found["target"] == [{"reference": f"urn:uuid:{report['id']}"}]
        assert found["extension"][0]["valueString"] == "cd" * 32
        assert found["entity"][0]["what"]["identifier"]["value"] == "R-3f2a90c4d1e8"
    assert report["resultsInterpreter"] == [{"display": "A. Reviewer"}]
    assert resources(samples.specimen(), "Provenance") == []


def test_versions_have_ids_of_their_own_and_one_in_common():
    first, second = samples.signed(), samples.signed(status=Status.CORRECTED, version=2)
    ids = [{e["fullUrl"] for e in fhir.bundle(content)["entry"]} for content in (first, second)]
    assert not ids[0] & ids[1]
    shared = [
        resources(content, "DiagnosticReport")[0]["identifier"][0] for content in (first, second)
    ]
    assert shared[0] == shared[1]
    assert fhir.bundle(first)["identifier"] != fhir.bundle(second)["identifier"]


def test_a_signed_report_has_the_id_that_was_signed_with_or_without_its_pictures():
    bare = samples.signed(gallery=(), preview=None)
    assert fhir.bundle(bare) == fhir.bundle(samples.signed())
    identifiers = resources(bare, "DiagnosticReport")[0]["identifier"]
    assert identifiers[1]["value"] == "R-" + "cd" * 6


def test_an_uncertain_value_is_said_to_be_below_quantification():
    content = samples.specimen()
    assert observation(content, "704-7")["note"] == [{"text": "below quantification"}]
    assert "note" not in observation(content, "751-8")


def test_the_device_names_the_model_by_its_hash():
    (device,) = resources(samples.specimen(), "Device")
    assert samples.MODEL.sha256 in {v["value"] for v in device["version"]}


def test_every_reference_leads_to_a_resource_and_ids_are_stable():
    made = fhir.bundle(samples.specimen())
    addresses = {entry["fullUrl"] for entry in made["entry"]}
    report = made["entry"][0]["resource"]
    assert {r["reference"] for r in report["result"]} <= addresses
    assert len(addresses) == len(made["entry"])
    assert made == fhir.bundle(samples.specimen())


def test_a_bundle_of_several_is_valid():
    from fhir.resources.R4B.bundle import Bundle

    both = [samples.specimen(), samples.specimen(specimen_id="U040")]
    made = fhir.bundles([(content, ReportSettings()) for content in both])
    assert len(Bundle.model_validate_json(json.dumps(made)).entry) == 2
