"""FHIR R4: one Bundle a specimen, with a DiagnosticReport, its Observations and the Device.

Plain dictionaries, written out here because the resources are few and the standard is frozen.
An interval is a ``component`` with a range, never a ``referenceRange``; what cannot be said is a
``dataAbsentReason``, never a 0; an unsigned report is ``preliminary``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cellcensus.settings import ReportSettings
from reports.codes import LOINC, PANEL, UCUM
from reports.content import ReferenceRange, SpecimenReport
from reports.glossary import flag_in_words
from reports.identity import report_id, report_sha256
from reports.measurements import Measurement, measurements

ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
CATEGORY = "http://terminology.hl7.org/CodeSystem/v2-0074"
OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
INTERPRETATIONS = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
OURS = "urn:cellcensus"

Resource = dict[str, Any]


def bundle(content: SpecimenReport, settings: ReportSettings | None = None) -> Resource:
    """A FHIR R4 collection Bundle of one specimen's report.

    Ids are made from the content, so the same report has the same ids wherever it is made.
    """
    settings = settings or ReportSettings()
    values = measurements(content, settings)
    device = _device(content)
    specimen = _specimen(content)
    links = {"device": _address(device), "specimen": _address(specimen)}
    observations = [_observation(content, value, links) for value in values]
    report = _report(content, observations, links)
    resources = [report, *observations, specimen, device]
    return {
        "resourceType": "Bundle",
        "id": _identity(content, "Bundle"),
        "type": "collection",
        "timestamp": _instant(content.generated_at),
        "entry": [{"fullUrl": _address(r), "resource": r} for r in resources],
    }


def bundles(contents: Sequence[tuple[SpecimenReport, ReportSettings]]) -> Resource:
    """Several specimens, each with its settings, in one collection Bundle of Bundles."""
    entries = [bundle(content, settings) for content, settings in contents]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": _address(entry), "resource": entry} for entry in entries],
    }


def _report(content: SpecimenReport, observations: list[Resource], links: Any) -> Resource:
    report: Resource = {
        "resourceType": "DiagnosticReport",
        "id": _identity(content, "DiagnosticReport"),
        "identifier": [{"system": f"{OURS}:report", "value": report_id(content)}],
        "status": content.status.value,
        "category": [{"coding": [{"system": CATEGORY, "code": "HM", "display": "Hematology"}]}],
        "code": {
            "coding": [{"system": LOINC, "code": PANEL}],
            "text": "Differential white cell count by imaging",
        },
        "subject": _subject(content),
        "issued": _instant(content.generated_at),
        "specimen": [{"reference": links["specimen"]}],
        "result": [{"reference": _address(o)} for o in observations],
        "conclusion": _conclusion(content),
    }
    if content.acquired_at:
        report["effectiveDateTime"] = _instant(content.acquired_at)
    if content.laboratory:
        report["performer"] = [{"display": content.laboratory}]
    if content.signature:
        report["resultsInterpreter"] = [{"display": content.signature.name}]
    return report


def _observation(content: SpecimenReport, value: Measurement, links: Any) -> Resource:
    observation: Resource = {
        "resourceType": "Observation",
        "id": _identity(content, f"Observation/{value.name}/{value.unit.code}"),
        "status": content.status.value,
        "category": [{"coding": [{"system": OBSERVATION_CATEGORY, "code": "laboratory"}]}],
        "code": _code(value),
        "subject": _subject(content),
        "specimen": {"reference": links["specimen"]},
        "device": {"reference": links["device"]},
        **_value(value),
    }
    if content.acquired_at:
        observation["effectiveDateTime"] = _instant(content.acquired_at)
    if value.low is not None and value.high is not None:
        observation["component"] = [_interval(value, value.low, value.high)]
    if value.limits:
        observation["referenceRange"] = [_reference_range(value, value.limits)]
    if value.interpretation:
        observation["interpretation"] = [
            {"coding": [{"system": INTERPRETATIONS, "code": value.interpretation}]}
        ]
    return observation


def _code(value: Measurement) -> Resource:
    code: Resource = {"text": f"{value.name} [{value.unit.printed}]"}
    if value.code:
        code["coding"] = [{"system": LOINC, "code": value.code}]
    return code


def _value(value: Measurement) -> Resource:
    if value.value is None:
        reason = {"system": ABSENT, "code": "unknown", "display": "Unknown"}
        return {"dataAbsentReason": {"coding": [reason], "text": "cannot be said"}}
    return {"valueQuantity": _quantity(value, value.value)}


def _interval(value: Measurement, low: float, high: float) -> Resource:
    return {
        "code": {
            "coding": [{"system": f"{OURS}:observation", "code": "interval-95"}],
            "text": "95 % interval",
        },
        "valueRange": {"low": _simple(value, low), "high": _simple(value, high)},
    }


def _reference_range(value: Measurement, limits: ReferenceRange) -> Resource:
    sides = {"low": limits.low, "high": limits.high}
    return {
        **{side: _simple(value, limit) for side, limit in sides.items() if limit is not None},
        "text": "adults",
    }


def _quantity(value: Measurement, number: float) -> Resource:
    return {**_simple(value, number)}


def _simple(value: Measurement, number: float) -> Resource:
    unit = value.unit
    return {"value": number, "unit": unit.printed, "system": UCUM, "code": unit.code}


def _specimen(content: SpecimenReport) -> Resource:
    specimen: Resource = {
        "resourceType": "Specimen",
        "id": _identity(content, "Specimen"),
        "identifier": [
            {"system": f"{OURS}:study:{content.study}:specimen", "value": content.specimen_id}
        ],
        "subject": _subject(content),
    }
    return specimen


def _device(content: SpecimenReport) -> Resource:
    versions = [{"type": {"text": "software"}, "value": content.software_version or "unknown"}]
    device: Resource = {
        "resourceType": "Device",
        "id": _identity(content, "Device"),
        "deviceName": [{"name": "cellcensus", "type": "model-name"}],
        "note": [{"text": sentence} for sentence in content.limits_of_use],
    }
    if content.model:
        device["identifier"] = [{"system": f"{OURS}:model", "value": content.model.model_id}]
        versions.append({"type": {"text": "model sha256"}, "value": content.model.sha256})
    device["version"] = versions
    if content.instrument_id:
        device["property"] = [
            {"type": {"text": "instrument"}, "valueCode": [{"text": content.instrument_id}]}
        ]
    return device


def _subject(content: SpecimenReport) -> Resource:
    # The donor's pseudonym, as an identifier: who it is, only the laboratory knows.
    system = f"{OURS}:study:{content.study}:donor"
    return {"identifier": {"system": system, "value": content.donor_id}, "type": "Patient"}


def _conclusion(content: SpecimenReport) -> str:
    flags = [flag_in_words(code).title for code in content.flags]
    parts = [f"Flags: {', '.join(flags)}." if flags else "No flags.", *content.limits_of_use[:1]]
    return " ".join(parts)


def _identity(content: SpecimenReport, what: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{OURS}:{report_sha256(content)}:{what}"))


def _address(resource: Resource) -> str:
    return f"urn:uuid:{resource['id']}"


def _instant(moment: datetime) -> str:
    # FHIR wants a zone with every time of day; one without is UTC, as in the study sheet.
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.isoformat(timespec="seconds")
