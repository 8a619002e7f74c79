"""The page machinery: templates with everything escaped, one style sheet, words for numbers."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from importlib.resources import files
from math import isfinite
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from reports import numbers
from reports.glossary import QualityName, flag_in_words, method_in_words
from reports.words import Words, words


@cache
def environment(language: str = "en") -> Environment:
    """The templates of the reports; an undefined name is an error, never an empty place."""
    made = Environment(
        loader=PackageLoader("reports"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    say = words(language)
    made.filters.update(word_filters(say))
    made.globals.update(say=say, lang=language)
    return made


def word_filters(say: Words | None = None) -> dict[str, Any]:
    """Filters that put values into words; the web pages use the same."""
    say = say or words()
    return {
        "when": say.when,
        "day": say.day,
        "percent": say.percent,
        "per_ul": say.per_ul,
        "number": say.number,
        "signed": say.signed,
        "significant": say.significant,
        "flag": lambda code: flag_in_words(code, say),
        "method": lambda code: method_in_words(code, say),
        "quality_value": lambda value, name: quality_value(value, name, say),
        "role": lambda role: say.of("role", role),
        "level": lambda level: say.of("level", level.value),
    }


def style(paper: str = "A4", running_title: str = "", say: Words | None = None) -> Markup:
    """The style sheet for one file, with the paper and what runs on each printed page."""
    say = say or words()
    sheet = (files("reports") / "templates" / "report.css").read_text(encoding="utf-8")
    research, page, of = (css_text(say(f"page.{key}")) for key in ("research_only", "page", "of"))
    running = (
        f'@page {{ size: {css_name(paper)}; @top-left {{ content: "{css_text(running_title)}" }} '
        f'@bottom-left {{ content: "{research}" }} '
        f'@bottom-right {{ content: "{page} " counter(page) " {of} " counter(pages) }} }}'
    )
    return Markup(f"{sheet}\n{running}")  # noqa: S704  own file, and text escaped for CSS


def css_text(text: str) -> str:
    """Text for a CSS string: all but letters and digits is escaped, so nothing can end it."""
    return "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):06x} " for c in text)


def css_name(text: str) -> str:
    """A word of CSS; anything that is not a letter or digit is left out."""
    return "".join(c for c in text if c.isascii() and c.isalnum())


def when(moment: datetime | None) -> str:
    """A time with its zone, in English: ``2026-03-11 09:00 UTC``."""
    return words().when(moment)


def day(moment: datetime | None) -> str:
    """The date alone, in English: ``2026-03-11``."""
    return words().day(moment)


def quality_value(
    value: float | int | str | None, name: QualityName, say: Words | None = None
) -> str:
    """A quality figure as text, with its unit."""
    say = say or words()
    if isinstance(value, bool):
        return say("quality_section.yes" if value else "quality_section.no")
    if isinstance(value, float | int) and name.share and isfinite(value):
        return f"{say.number(round(100 * value, 1) + 0.0, 1)} %"
    shown = say.significant(value)
    return f"{shown} {name.unit}".strip() if shown != numbers.CANNOT_BE_SAID else shown
