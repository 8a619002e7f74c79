"""HL7 v2.5.1: one ORU^R01 message a specimen.

Segments end with a carriage return; every field that comes from outside is escaped; an unsigned
report is ``P`` (preliminary); what cannot be said is sent without a value and with status ``X``.
Nothing depends on when the message is made: the same report is the same message.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from cellcensus.settings import ReportSettings
from reports.content import ReferenceRange, SpecimenReport, Status
from reports.glossary import flag_in_words
from reports.measurements import Measurement, is_below_quantification, measurements
from reports.signed import checked_status, identity, signatures

_STATUS = {Status.PRELIMINARY: "P", Status.FINAL: "F", Status.CORRECTED: "C"}
_PANEL = "57021-8^CBC W Auto Differential panel^LN"
_ESCAPES = {
    "\\": "\\E\\",
    "|": "\\F\\",
    "^": "\\S\\",
    "&": "\\T\\",
    "~": "\\R\\",
}


def message(
    content: SpecimenReport,
    settings: ReportSettings | None = None,
    *,
    control_id: str | None = None,
) -> str:
    """One ORU^R01 message, ready for a file or for MLLP.

    Without ``control_id`` one is made from the content, the report's version and its status, so
    that the same report sent twice can be told, and a draft from what was released.
    """
    settings = settings or ReportSettings()
    values = measurements(content, settings)
    status = _STATUS[checked_status(content)]
    segments = [
        _header(content, status, control_id),
        _donor(content),
        _request(content, status),
        *_notes(content),
        *(
            segment
            for i, value in enumerate(values, start=1)
            for segment in (
                _value(i, content, value, status),
                *_remarks(value, settings.quantification_cv),
            )
        ),
        f"SPM|1|{escape(content.specimen_id)}||BLD^Whole blood^HL70487",
    ]
    return "".join(segment + "\r" for segment in segments)


def messages(contents: Sequence[tuple[SpecimenReport, ReportSettings]]) -> str:
    """Several messages, one after the other, as a file of messages is written."""
    return "".join(message(content, settings) for content, settings in contents)


def escape(text: str) -> str:
    """Text with the delimiters of HL7 escaped; line ends and control characters become spaces."""
    kept = (_ESCAPES.get(c) or (c if c.isprintable() else " ") for c in text)
    return "".join(kept)


def _header(content: SpecimenReport, status: str, control_id: str | None) -> str:
    fields = [
        "MSH|^~\\&",
        "cellcensus",
        escape(content.laboratory),
        "",
        "",
        _time(content.generated_at),
        "",
        "ORU^R01^ORU_R01",
        control_id or f"{identity(content)[2:]}-{content.version}{status}",
        "P",
        "2.5.1",
        *[""] * 5,
        "UNICODE UTF-8",
    ]
    return "|".join(fields)


def _donor(content: SpecimenReport) -> str:
    # Name type S: a coded name that keeps the person unknown.
    donor = escape(content.donor_id)
    return f"PID|1||{donor}^^^{escape(content.study)}||{donor}^^^^^^S"


def _request(content: SpecimenReport, status: str) -> str:
    fields = [""] * 33
    fields[0], fields[1] = "OBR", "1"
    fields[3] = f"{escape(content.specimen_id)}^{escape(content.study)}"
    fields[4] = _PANEL
    fields[7] = _time(content.acquired_at)
    fields[22] = _time(content.generated_at)
    fields[24], fields[25] = "HM", status
    if content.signature:
        fields[32] = f"&{escape(content.signature.name)}"
    return "|".join(fields).rstrip("|")


def _value(i: int, content: SpecimenReport, value: Measurement, status: str) -> str:
    said = value.value is not None
    fields = [
        "OBX",
        str(i),
        "NM",
        _identifier(value),
        "",
        _number(value.value),
        f"{escape(value.unit.code)}^^UCUM",
        _range(value.limits),
        value.interpretation or "",
        "",
        "",
        status if said else "X",
        "",
        "",
        _time(content.acquired_at),
        "",
        "",
        escape(content.model.model_id if content.model else ""),
        escape(content.instrument_id or ""),
    ]
    return "|".join(fields).rstrip("|")


def _remarks(value: Measurement, largest_cv: float) -> list[str]:
    """The interval of a value, and whether it is below quantification, as notes beside it."""
    sentences = []
    if value.low is not None and value.high is not None:
        limits = f"{_number(value.low)} - {_number(value.high)}"
        sentences.append(f"95 % interval {limits} {value.unit.printed}")
    if is_below_quantification(value, largest_cv):
        sentences.append("below quantification")
    return [f"NTE|{i}|L|{escape(sentence)}" for i, sentence in enumerate(sentences, start=1)]


def _notes(content: SpecimenReport) -> list[str]:
    sentences = [f"Report {identity(content)} version {content.version}, {content.status.value}"]
    sentences += [
        f"{one.meaning} by {one.name} at {_time(one.signed_at)}, sha256 {one.report_sha256}"
        for one in signatures(content)
    ]
    if content.replaces:
        sentences.append(f"Replaces {content.replaces}")
    sentences += [f"{flag_in_words(c).title} ({c})" for c in content.flags]
    if content.model:
        sentences.append(f"Model {content.model.model_id} sha256 {content.model.sha256}")
    sentences += content.limits_of_use
    return [f"NTE|{i}|L|{escape(sentence)}" for i, sentence in enumerate(sentences, start=1)]


def _identifier(value: Measurement) -> str:
    name = escape(value.name)
    if value.code:
        return f"{value.code}^{name}^LN"
    local = escape(f"{value.name}:{value.unit.code}")
    return f"{local}^{name}^L"


def _range(limits: ReferenceRange | None) -> str:
    if limits is None:
        return ""
    if limits.high is None:
        return f">{_number(limits.low)}"
    if limits.low is None:
        return f"<{_number(limits.high)}"
    return f"{_number(limits.low)}-{_number(limits.high)}"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return text or "0"


def _time(moment: datetime | None) -> str:
    if moment is None:
        return ""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.strftime("%Y%m%d%H%M%S%z")
