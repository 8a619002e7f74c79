"""Numbers as laboratories write them.

The rule: what can be read one way only is read, and said if it is unusual; what can be read two
ways (``1,234``) is refused.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import Enum

_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_COMMA = re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?", re.IGNORECASE)
_GROUPED_BY_COMMA = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
_GROUPED_BY_DOT = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d+)?")
_SPACES = re.compile(r"(?<=\d)[\s'’](?=\d{3})")
MISSING_WORDS = frozenset(
    (
        "n/a",
        "na",
        "#n/a",
        "nan",
        "none",
        "null",
        "nil",
        "-",
        "--",
        "---",
        "–",
        "—",
        "?",
        ".",
        "missing",
        "nd",
        "n.d.",
        "n.a.",
        "unknown",
    )
)


class Decimal(Enum):
    """How a table writes the decimal sign."""

    DOT = "."
    COMMA = ","


@dataclass(frozen=True, slots=True)
class Number:
    """A cell of the table as a number.

    Parameters
    ----------
    value
        The number; ``None`` if the cell says that there is none, or cannot be read.
    note
        What a person should know of how it was read: ``""``, ``missing_word``, ``unusual``,
        ``percent``, ``below``, ``above``, ``ambiguous`` or ``unreadable``.
    """

    value: float | None
    note: str = ""


def is_missing(text: str) -> bool:
    """Whether a cell says in some way that it holds nothing."""
    return not text.strip() or text.strip().casefold() in MISSING_WORDS


def read_number(text: str, decimal: Decimal) -> Number:
    """Read one cell of a table whose decimal sign is ``decimal``."""
    text = text.replace("\u00a0", " ").replace("\u202f", " ").replace("\u2212", "-").strip()
    if not text:
        return Number(None)
    if text.casefold() in MISSING_WORDS:
        return Number(None, "missing_word")
    for sign, note in (("<", "below"), (">", "above")):
        if text.startswith(sign):
            return Number(_value(text.lstrip("<>= "), decimal).value, note)
    if text.endswith("%"):
        inner = _value(text[:-1].strip(), decimal)
        return inner if inner.value is None else Number(inner.value, "percent")
    return _value(text, decimal)


def _value(text: str, decimal: Decimal) -> Number:
    bare = _SPACES.sub("", text)
    number = _with_sign(bare, decimal)
    if number.value is not None and not math.isfinite(number.value):
        return Number(None, "unreadable")
    return Number(number.value, "unusual") if bare != text and not number.note else number


def _with_sign(text: str, decimal: Decimal) -> Number:
    by_comma, by_dot = _GROUPED_BY_COMMA.fullmatch(text), _GROUPED_BY_DOT.fullmatch(text)
    # With both signs in it, or one of them twice, the last one can only be the decimal sign.
    if by_comma and ("." in text or text.count(",") > 1):
        return Number(float(text.replace(",", "")), "unusual")
    if by_dot and ("," in text or text.count(".") > 1):
        return Number(float(text.replace(".", "").replace(",", ".")), "unusual")
    if (by_comma and decimal is Decimal.DOT) or (by_dot and decimal is Decimal.COMMA):
        return Number(None, "ambiguous")
    with_comma = _COMMA.fullmatch(text)
    if not with_comma and not _PLAIN.fullmatch(text):
        return Number(None, "unreadable")
    expected = decimal is Decimal.COMMA or not with_comma
    return Number(float(text.replace(",", ".")), "" if expected else "unusual")
