"""What a report says as JSON values, and back: so a signed report is kept word for word.

Pictures are left out; the hash that a signature binds to covers them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from math import nan
from typing import Any

from cellcensus.findings import Finding, Level
from reports.content import (
    ClassRow,
    Estimate,
    ModelIdentity,
    Signature,
    SpecimenReport,
    Status,
)
from reports.identity import plain

_PICTURES = {"preview", "gallery"}


def as_values(content: SpecimenReport) -> dict[str, Any]:
    """Everything a specimen's report says but its pictures, as JSON values; NaN is ``None``."""
    return {
        f.name: plain(getattr(content, f.name)) for f in fields(content) if f.name not in _PICTURES
    }


def from_values(values: Mapping[str, Any]) -> SpecimenReport:
    """The report that :func:`as_values` wrote down, without its pictures.

    Names of a later version are passed over, so that an old report can always be read.
    """
    known = {f.name for f in fields(SpecimenReport)} - _PICTURES
    kept = {name: value for name, value in values.items() if name in known}
    for name in kept.keys() & _READERS.keys():
        kept[name] = _READERS[name](kept[name])
    return SpecimenReport(**kept)


def _number(value: float | None) -> float:
    return nan if value is None else value


def _moment(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _estimate(value: Mapping[str, float | None]) -> Estimate:
    return Estimate(*(_number(value[name]) for name in ("value", "low", "high")))


def _row(value: Mapping[str, Any]) -> ClassRow:
    return ClassRow(
        value["cell_class"],
        value["count"],
        _estimate(value["fraction"]),
        _estimate(value["per_ul"]),
        _number(value["analyser_fraction"]),
        _number(value["analyser_per_ul"]),
    )


def _finding(value: Mapping[str, Any]) -> Finding:
    return Finding(**{**value, "level": Level(value["level"])})


def _model(value: Mapping[str, Any] | None) -> ModelIdentity | None:
    if value is None:
        return None
    moment, studies = _moment(value["trained_at"]), tuple(value["studies"])
    return ModelIdentity(**{**value, "trained_at": moment, "studies": studies})


def _signature(value: Mapping[str, Any] | None) -> Signature | None:
    if value is None:
        return None
    return Signature(**{**value, "signed_at": _moment(value["signed_at"])})


_READERS: dict[str, Callable[[Any], Any]] = {
    "generated_at": _moment,
    "acquired_at": _moment,
    "rows": lambda rows: tuple(_row(row) for row in rows),
    "total_per_ul": _estimate,
    "analyser_total_per_ul": _number,
    "flags": tuple,
    "findings": lambda found: tuple(_finding(one) for one in found),
    "model": _model,
    "limits_of_use": tuple,
    "status": Status,
    "signature": _signature,
    "earlier_signatures": lambda signed: tuple(_signature(one) for one in signed),
}
