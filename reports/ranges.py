"""Reference ranges: which applies to a class, and what may be said of a value against it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from cellcensus.settings import ReportSettings
from reports.content import Estimate, ReferenceRange

TOTAL = "leukocyte"
_Z95 = 1.959963984540054

# Other names laboratories give the same classes.
_SYNONYMS = {
    "wbc": TOTAL,
    "leucocyte": TOTAL,
    "white_cell": TOTAL,
    "white_blood_cell": TOTAL,
    "neut": "neutrophil",
    "neu": "neutrophil",
    "lymph": "lymphocyte",
    "lym": "lymphocyte",
    "mono": "monocyte",
    "mon": "monocyte",
    "eos": "eosinophil",
    "eo": "eosinophil",
    "baso": "basophil",
    "bas": "basophil",
    "ig": "immature_granulocyte",
}


class Standing(StrEnum):
    """Where a value stands against its range."""

    WITHIN = "within"
    LOW = "low"
    HIGH = "high"
    CRITICAL_LOW = "critical_low"
    CRITICAL_HIGH = "critical_high"
    CROSSES = "crosses"  # the interval crosses a limit, so nothing is claimed and nothing coloured
    NO_RANGE = "no_range"


@dataclass(frozen=True, slots=True)
class Ranges:
    """The ranges of one report; ``adult`` ones are withheld under ``adult_age_years``."""

    settings: ReportSettings
    donor_age_years: float | None = None

    @property
    def withheld(self) -> bool:
        """Whether the donor is too young for adult ranges."""
        age = self.donor_age_years
        return age is not None and age < self.settings.adult_age_years

    def of(self, cell_class: str) -> ReferenceRange | None:
        """Range of a class in cells per µL; ``None`` if there is none or it does not apply."""
        limits = self.settings.reference_ranges.get(canonical(cell_class))
        if limits is None or self.withheld:
            return None
        values = (limits.low, limits.high, limits.critical_low, limits.critical_high)
        low, high, critical_low, critical_high = (
            None if value is None else value * 1000 for value in values
        )
        return ReferenceRange(low, high, critical_low, critical_high)


def canonical(cell_class: str) -> str:
    """One name for a class however it is written: ``Neutrophils`` → ``neutrophil``."""
    name = cell_class.strip().lower().replace("-", "_").replace(" ", "_").rstrip("s")
    return _SYNONYMS.get(name, name)


def standing(estimate: Estimate, limits: ReferenceRange | None) -> Standing:
    """Compare a whole interval with a range: a claim is made only if all of it lies on one side.

    Without an interval (``nan``) a value outside the range is only said to be uncertain.
    """
    if limits is None or not isfinite(estimate.value):
        return Standing.NO_RANGE
    low, high = estimate.low, estimate.high
    for limit, claim in (
        (limits.critical_low, Standing.CRITICAL_LOW),
        (limits.low, Standing.LOW),
    ):
        if limit is not None and high < limit:
            return claim
    for limit, claim in (
        (limits.critical_high, Standing.CRITICAL_HIGH),
        (limits.high, Standing.HIGH),
    ):
        if limit is not None and low > limit:
            return claim
    return Standing.WITHIN if _inside(estimate, limits) else Standing.CROSSES


def below_quantification(estimate: Estimate, largest_cv: float) -> bool:
    """Whether the interval is too wide, next to the value, for the value to be called a quantity.

    The coefficient of variation is taken from the 95 % interval: (high − low) / (2 × 1.96 × value).
    A value of 0 is always below quantification; one that cannot be said (``nan``) never is.
    """
    if not isfinite(estimate.value):
        return False
    if estimate.value <= 0:
        return True
    width = estimate.high - estimate.low
    return isfinite(width) and width / (2 * _Z95 * estimate.value) > largest_cv


def _inside(estimate: Estimate, limits: ReferenceRange) -> bool:
    above = limits.low is None or estimate.low >= limits.low
    below = limits.high is None or estimate.high <= limits.high
    return above and below
