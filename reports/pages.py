"""The page machinery: templates with everything escaped, one style sheet, words for numbers."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from importlib.resources import files
from math import isfinite
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from cellcensus.findings import Level
from reports import numbers
from reports.glossary import QualityName, flag_in_words, method_in_words

ROLE_WORDS = {
    "purified": "purified (almost one class)",
    "mixed": "mixed (analyser totals known)",
    "unknown": "unknown (to be predicted)",
    "blank": "blank (no cells)",
    "control": "control (known composition)",
}
LEVEL_WORDS = {Level.VIOLATION: "Stop", Level.ALERT: "Check", Level.INFORMATION: "Note"}


@cache
def environment() -> Environment:
    """The templates of the reports; an undefined name is an error, never an empty place."""
    made = Environment(
        loader=PackageLoader("reports"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(word_filters())
    return made


def word_filters() -> dict[str, Any]:
    """Filters that put values into words; the web pages use the same."""
    return {
        "when": when,
        "day": day,
        "percent": numbers.percent,
        "per_ul": numbers.per_ul,
        "number": numbers.number,
        "signed": numbers.signed,
        "significant": numbers.significant,
        "flag": flag_in_words,
        "method": method_in_words,
        "quality_value": quality_value,
        "role": lambda role: ROLE_WORDS.get(role, role),
        "level": lambda level: LEVEL_WORDS[level],
    }


def style(paper: str = "A4", running_title: str = "") -> Markup:
    """The style sheet for one file, with the paper and the title that runs on each printed page."""
    sheet = (files("reports") / "templates" / "report.css").read_text(encoding="utf-8")
    page = (
        f'@page {{ size: {css_name(paper)}; @top-left {{ content: "{css_text(running_title)}" }} }}'
    )
    return Markup(f"{sheet}\n{page}")  # noqa: S704  own file, and text escaped for CSS


def css_text(text: str) -> str:
    """Text for a CSS string: all but letters and digits is escaped, so nothing can end it."""
    return "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):06x} " for c in text)


def css_name(text: str) -> str:
    """A word of CSS; anything that is not a letter or digit is left out."""
    return "".join(c for c in text if c.isascii() and c.isalnum())


def when(moment: datetime | None) -> str:
    """A time with its zone: ``2026-03-11 09:00 UTC``."""
    if moment is None:
        return numbers.CANNOT_BE_SAID
    zone = moment.tzname() or ""
    return f"{moment:%Y-%m-%d %H:%M} {zone}".strip()


def day(moment: datetime | None) -> str:
    """The date alone: ``2026-03-11``."""
    return f"{moment:%Y-%m-%d}" if moment else numbers.CANNOT_BE_SAID


def quality_value(value: float | int | str | None, name: QualityName) -> str:
    """A quality figure as text, with its unit."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float | int) and name.share and isfinite(value):
        return f"{numbers.number(round(100 * value, 1) + 0.0, 1)} %"
    shown = numbers.significant(value)
    return f"{shown} {name.unit}".strip() if shown != numbers.CANNOT_BE_SAID else shown
