"""Released reports → the outbox, in the transaction that releases them."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from cellcensus.settings import DestinationSettings, ReportSettings, Settings
from db.outbox import add_message
from db.tables import ReportVersion
from flows.documents import settings_of
from flows.released import released_content

if TYPE_CHECKING:
    from reports.content import SpecimenReport


def enqueue(session: Session, settings: Settings, version: ReportVersion) -> int:
    """Put a version that was just released into the outbox, once for each destination.

    Call it in the transaction of the release, after the signature was added: either both are kept
    or neither is. Nothing is sent from here.

    Returns
    -------
    int
        How many messages were written; 0 where no destination is configured.

    Raises
    ------
    StoreError
        The version is not released, or its signature is for another content.
    """
    session.flush()
    content = released_content(session, version)
    destinations = settings.interfaces.destinations
    for name, destination in destinations.items():
        control_id = control_id_of(content, name)
        body = _body(content, settings_of(version, settings), destination, control_id)
        add_message(session, version, destination=name, control_id=control_id, body=body)
    return len(destinations)


def control_id_of(content: SpecimenReport, destination: str) -> str:
    """The id of one report version for one destination: 20 characters, as HL7 allows.

    It is made from what is sent, so it is the same at every attempt, and no other message has it.
    """
    signed = content.signature.report_sha256 if content.signature else ""
    parts = [content.study, content.specimen_id, str(content.version), signed, destination]
    return sha256("\n".join(parts).encode()).hexdigest()[:20].upper()


def _body(
    content: SpecimenReport,
    settings: ReportSettings,
    destination: DestinationSettings,
    control_id: str,
) -> str:
    from reports import fhir, hl7

    if destination.format == "fhir":
        bundle = fhir.bundle(content, settings)
        return json.dumps(bundle, indent=1, ensure_ascii=False, allow_nan=False)
    return hl7.message(content, settings, control_id=control_id)
