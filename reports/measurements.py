"""The values of a specimen as they leave the house: for FHIR and HL7, rounded as on paper."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from cellcensus.settings import ReportSettings
from reports.codes import PER_NANOLITRE, PERCENT, Unit, loinc
from reports.content import Estimate, ReferenceRange, SpecimenReport
from reports.numbers import percentages, round_per_ul
from reports.ranges import TOTAL, Ranges, Standing, below_quantification, standing

# Interpretation codes of HL7 table 0078 (v2) and v3-ObservationInterpretation (FHIR): the same.
INTERPRETATION = {
    Standing.WITHIN: "N",
    Standing.LOW: "L",
    Standing.HIGH: "H",
    Standing.CRITICAL_LOW: "LL",
    Standing.CRITICAL_HIGH: "HH",
}


@dataclass(frozen=True, slots=True)
class Measurement:
    """One value in one unit; ``None`` = cannot be said.

    ``interpretation`` is set only where the whole interval allows it; ``limits`` are in ``unit``.
    """

    name: str
    unit: Unit
    code: str | None
    value: float | None
    low: float | None
    high: float | None
    limits: ReferenceRange | None = None
    interpretation: str | None = None


def measurements(content: SpecimenReport, settings: ReportSettings) -> list[Measurement]:
    """Total, then each class per µL and in percent, in the reporting order."""
    ranges = Ranges(settings, content.donor_age_years)
    shown = percentages([row.fraction.value for row in content.rows])
    values = [_concentration("leukocytes", TOTAL, content.total_per_ul, ranges)]
    for row, share in zip(content.rows, shown, strict=True):
        values.append(_concentration(row.cell_class, row.cell_class, row.per_ul, ranges))
        values.append(_share(row.cell_class, share, row.fraction))
    return values


def is_below_quantification(value: Measurement, largest_cv: float) -> bool:
    """Whether the value is too uncertain to be called a quantity."""
    if value.value is None or value.low is None or value.high is None:
        return False
    return below_quantification(Estimate(value.value, value.low, value.high), largest_cv)


def said(value: float) -> float | None:
    """The value, or ``None`` where it cannot be said."""
    return value if isfinite(value) else None


def _concentration(name: str, key: str, per_ul: Estimate, ranges: Ranges) -> Measurement:
    limits = ranges.of(key)
    return Measurement(
        name,
        PER_NANOLITRE,
        loinc(key, PER_NANOLITRE),
        _thousands(per_ul.value),
        _thousands(per_ul.low),
        _thousands(per_ul.high),
        _range_in_thousands(limits),
        INTERPRETATION.get(standing(per_ul, limits)),
    )


def _share(name: str, shown: float, fraction: Estimate) -> Measurement:
    low, high = said(round(100 * fraction.low, 1)), said(round(100 * fraction.high, 1))
    return Measurement(name, PERCENT, loinc(name, PERCENT), said(shown), low, high)


def _thousands(value: float) -> float | None:
    rounded = said(round_per_ul(value))
    return None if rounded is None else round(rounded / 1000, 3)


def _range_in_thousands(limits: ReferenceRange | None) -> ReferenceRange | None:
    if limits is None or (limits.low is None and limits.high is None):
        return None
    low, high = (
        None if value is None else round(value / 1000, 6) for value in (limits.low, limits.high)
    )
    return ReferenceRange(low, high)
