"""The identity of a report: equal content, equal id, whenever and wherever it is drawn."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from math import isfinite
from typing import Any

import numpy as np

from cellcensus.recipe import canonical_json
from reports.content import SpecimenReport, StudyReport

# May change without a change of what is said: when it is drawn, and how far it has come.
_NOT_CONTENT = {
    "generated_at",
    "status",
    "version",
    "signature",
    "earlier_signatures",
    "replaces",
}


def report_sha256(content: SpecimenReport | StudyReport) -> str:
    """Hash of everything a report says, 64 hexadecimal digits; a signature binds to it."""
    values = {
        f.name: plain(getattr(content, f.name))
        for f in fields(content)
        if f.name not in _NOT_CONTENT
    }
    return hashlib.sha256(canonical_json(values).encode()).hexdigest()


def report_id(content: SpecimenReport | StudyReport) -> str:
    """Short form for people, for example ``R-3f2a90c4d1e8``.

    A signed report has the id of what was signed, also where it is shown without its pictures.
    """
    signature = content.signature if isinstance(content, SpecimenReport) else None
    digest = signature.report_sha256 if signature else report_sha256(content)
    return f"R-{digest[:12]}"


def plain(value: Any) -> Any:
    """``value`` in values of JSON; NaN becomes ``None``, pictures become their SHA-256."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return _plain_leaf(value)


def _plain_leaf(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return hashlib.sha256(value.tobytes()).hexdigest()
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value.isoformat() if isinstance(value, datetime) else value
