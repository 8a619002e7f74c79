"""How numbers are written for people: one place, so that paper, FHIR and HL7 never differ."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, isfinite

CANNOT_BE_SAID = "–"
_THIN = "\u202f"  # narrow space that does not break: 12 300 stays in one piece


def percentages(fractions: Sequence[float], decimals: int = 1) -> list[float]:
    """Percentages that add to exactly 100 after rounding, by the largest remainder.

    Parameters
    ----------
    fractions
        Values 0–1 that add to 1 (they are scaled to do so).
    decimals
        Digits after the point.

    Returns
    -------
    list of float
        In the order given; unchanged in order of size. All ``nan`` if any is.
    """
    total = sum(fractions)
    if not fractions or not isfinite(total) or total <= 0:
        return [float("nan")] * len(fractions)
    steps = 100 * 10**decimals
    exact = [value / total * steps for value in fractions]
    # A hair is added so that 0.3 × 1000 = 299.99… is not floored to 299.
    whole = [floor(value + 1e-9) for value in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: whole[i] - exact[i])
    for i in by_remainder[: steps - sum(whole)]:
        whole[i] += 1
    return [value / 10**decimals for value in whole]


def percent(fraction: float, decimals: int = 1) -> str:
    """A fraction as a percentage without its sign: ``0.0712`` → ``7.1``."""
    return f"{100 * fraction:.{decimals}f}" if isfinite(fraction) else CANNOT_BE_SAID


def round_per_ul(value: float) -> float:
    """A concentration as it is reported: tens from 1,000 up, ones below; ``nan`` stays."""
    if not isfinite(value):
        return value
    return float(round(value, -1) if abs(value) >= 1000 else round(value))


def per_ul(value: float) -> str:
    """A concentration in cells per µL, with thousands set apart."""
    return number(round_per_ul(value))


def number(value: float | int | None, decimals: int = 0) -> str:
    """A number with its thousands set apart by a narrow space and a true minus sign."""
    if value is None or not isfinite(value):
        return CANNOT_BE_SAID
    return f"{value:,.{decimals}f}".replace(",", _THIN).replace("-", "−")


def signed(value: float, decimals: int = 1) -> str:
    """A difference with its sign: ``+1.2``, ``−0.3``, ``0.0``."""
    if not isfinite(value):
        return CANNOT_BE_SAID
    rounded = round(value, decimals)
    sign = "+" if rounded > 0 else ""
    return sign + number(rounded + 0.0, decimals)


def significant(value: float | int | str | None, digits: int = 3) -> str:
    """A figure of unknown size with ``digits`` significant digits; text passes unchanged."""
    if value is None or isinstance(value, bool | str):
        return CANNOT_BE_SAID if value is None else str(value)
    if isinstance(value, int) or (isfinite(value) and abs(value) >= 10**digits):
        return number(value)
    return f"{value:.{digits}g}".replace("-", "−") if isfinite(value) else CANNOT_BE_SAID
