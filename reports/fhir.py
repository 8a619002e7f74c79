"""FHIR R4: one Bundle a specimen: a DiagnosticReport, its Observations, Device and Provenance.

Plain dictionaries, written out here because the resources are few and the standard is frozen.
An interval is a ``component`` with a range, never a ``referenceRange``; what cannot be said is a
``dataAbsentReason``, never a 0; an unsigned report is ``preliminary``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from cellcensus.settings import ReportSettings
from reports.codes import LOINC, PANEL, UCUM
from reports.content import ReferenceRange, Signature, SpecimenReport
from reports.glossary import flag_in_words
from reports.measurements import Measurement, is_below_quantification, measurements
from reports.signed import checked_status, identity, identity_sha256, signatures

ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
CATEGORY = "http://terminology.hl7.org/CodeSystem/v2-0074"
OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
INTERPRETATIONS = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
SIGNATURE_TYPE = "urn:iso-astm:E1762-95:2013"
VERIFICATION = "1.2.840.10065.1.12.1.5"
OURS = "urn:cellcensus"

Resource = dict[str, Any]


def bundle(content: SpecimenReport, settings: ReportSettings | None = None) -> Resource:
    """A FHIR R4 collection Bundle of one specimen's report.

    Ids are made from the content and its version, so the same version of a report has the same ids
    wherever it is made, and another version has others.

    Raises
    ------
    ValueError
        It is said to be final, and nobody signed it.
    """
    settings = settings or ReportSettings()
    checked_status(content)
    values = measurements(content, settings)
    device = _device(content)
    specimen = _specimen(content)
    links = {"device": _address(device), "specimen": _address(specimen)}
    observations = [
        _observation(content, value, links, settings.quantification_cv) for value in values
    ]
    report = _report(content, observations, links)
    signed = [_provenance(content, report, one) for one in signatures(content)]
    resources = [report, *observations, specimen, device, *signed]
    return {
        "resourceType": "Bundle",
        "id": _identity(content, "Bundle"),
        "identifier": {
            "system": f"{OURS}:report-version",
            "value": f"{identity(content)}-{content.version}",
        },
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
        # The first is the same for all versions, the second is that of the printed report.
        "identifier": [
            {"system": f"{_of_study(content)}:report", "value": content.specimen_id},
            {"system": f"{OURS}:report", "value": identity(content)},
        ],
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


def _provenance(content: SpecimenReport, report: Resource, signed: Signature) -> Resource:
    """Who took responsibility for the report: one signature."""
    who = {"display": signed.name}
    made: Resource = {
        "resourceType": "Provenance",
        "id": _identity(content, f"Provenance/{signed.meaning}"),
        "target": [{"reference": _address(report)}],
        "recorded": _instant(signed.signed_at),
        "reason": [{"text": signed.meaning}],
        "activity": {"coding": [{"system": LIFECYCLE, "code": "verify"}]},
        "agent": [{"type": {"coding": [{"system": PARTICIPANT, "code": "verifier"}]}, "who": who}],
        "signature": [
            {
                "type": [{"system": SIGNATURE_TYPE, "code": VERIFICATION}],
                "when": _instant(signed.signed_at),
                "who": who,
            }
        ],
        # What was signed; not a cryptographic signature, which FHIR would put into `data`.
        "extension": [{"url": f"{OURS}:report-sha256", "valueString": signed.report_sha256}],
    }
    if content.replaces:
        before = {"system": f"{OURS}:report", "value": content.replaces}
        made["entity"] = [{"role": "revision", "what": {"identifier": before}}]
    return made


def _observation(
    content: SpecimenReport, value: Measurement, links: Any, largest_cv: float
) -> Resource:
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
    if is_below_quantification(value, largest_cv):
        observation["note"] = [{"text": "below quantification"}]
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
    return {"valueQuantity": _simple(value, value.value)}


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


def _simple(value: Measurement, number: float) -> Resource:
    unit = value.unit
    return {"value": number, "unit": unit.printed, "system": UCUM, "code": unit.code}


def _specimen(content: SpecimenReport) -> Resource:
    specimen: Resource = {
        "resourceType": "Specimen",
        "id": _identity(content, "Specimen"),
        "identifier": [{"system": f"{_of_study(content)}:specimen", "value": content.specimen_id}],
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
    system = f"{_of_study(content)}:donor"
    return {"identifier": {"system": system, "value": content.donor_id}, "type": "Patient"}


def _of_study(content: SpecimenReport) -> str:
    return f"{OURS}:study:{quote(content.study, safe='')}"


def _conclusion(content: SpecimenReport) -> str:
    flags = [flag_in_words(code).title for code in content.flags]
    said = f"Flags: {', '.join(flags)}." if flags else "No flags."
    return " ".join([f"Version {content.version}.", said, *content.limits_of_use[:1]])


def _identity(content: SpecimenReport, what: str) -> str:
    version = f"{content.study}/{content.specimen_id}/{content.version}/{content.status.value}"
    return str(uuid5(NAMESPACE_URL, f"{OURS}:{identity_sha256(content)}:{version}:{what}"))


def _address(resource: Resource) -> str:
    return f"urn:uuid:{resource['id']}"


def _instant(moment: datetime) -> str:
    # FHIR wants a zone with every time of day; one without is UTC, as in the study sheet.
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.isoformat(timespec="seconds")
