"""Numbers of numpy → values that JSON and a database can hold; NaN → nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any


def plain(value: Any) -> Any:
    """``value`` made of dict, list, str, int, float, bool and None only; NaN becomes None."""
    for kinds, convert in _CONVERSIONS:
        if isinstance(value, kinds):
            return convert(value)
    if hasattr(value, "tolist"):  # numpy, without importing it
        return plain(value.tolist())
    return value if value is None else str(value)


def number(value: float | None) -> float | None:
    """A finite float, or None."""
    return None if value is None or not math.isfinite(value) else float(value)


def back(value: float | None) -> float:
    """A stored number; NaN where there is none."""
    return math.nan if value is None else value


def _unchanged(value: Any) -> Any:
    return value


# The first kind that fits decides: an Enum may be a text too.
_CONVERSIONS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (Enum, lambda value: plain(value.value)),
    ((str, bool, int), _unchanged),
    (float, number),
    (Mapping, lambda value: {str(plain(name)): plain(item) for name, item in value.items()}),
    ((Sequence, set, frozenset), lambda value: [plain(item) for item in value]),
)
