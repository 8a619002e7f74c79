"""The words of the reports in one language: messages from a file, numbers and dates as usual there.

``en.toml`` and ``de.toml`` in ``reports/messages`` have the same keys and the same placeholders.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, get_args

from cellcensus.errors import UsageError
from cellcensus.settings import Language
from reports import numbers
from reports.ranges import canonical

LANGUAGES: tuple[str, ...] = get_args(Language)
Rich = list[tuple[str, bool]]  # pieces of a sentence, and whether each is set in bold


@cache
def words(language: str = "en") -> Words:
    """The words of a language.

    Raises
    ------
    UsageError
        There are no messages in this language.
    """
    if language not in LANGUAGES:
        raise UsageError(
            f"there are no reports in the language {language!r}",
            next_step=f"use one of: {', '.join(LANGUAGES)}",
        )
    return Words(language, dict(_flat(_read(f"{language}.toml"))))


class Words:
    """Messages by key, and what is written differently from language to language."""

    def __init__(self, language: str, messages: Mapping[str, str]) -> None:
        from babel import Locale  # noqa: PLC0415  reads its tables: only where a report is drawn

        self.language = language
        self.messages = messages
        self._locale = Locale.parse(language)
        self._decimal = str(self._locale.number_symbols["latn"]["decimal"])

    def __call__(self, key: str, **values: object) -> str:
        """A message in plain text, its placeholders filled."""
        return "".join(piece for piece, _ in self.rich(key, **values))

    def rich(self, key: str, **values: object) -> Rich:
        """A message in pieces; the values can hold any sign, only the message's stars count."""
        pieces = self.messages[key].split("*")
        return [(piece.format(**values), i % 2 == 1) for i, piece in enumerate(pieces) if piece]

    def of(self, family: str, name: str, otherwise: str | None = None) -> str:
        """A word of a family, for example a role; what is not in it stays as it is."""
        known = self.messages.get(f"{family}.{name}")
        if known is not None:
            return known
        return name if otherwise is None else otherwise

    def cell_class(self, name: str) -> str:
        """The name of a class; one that only the study knows stays as it is."""
        return self.of("class", canonical(name), name)

    def local(self, written: str) -> str:
        """A number as :mod:`reports.numbers` writes it, with this language's decimal sign."""
        return written.replace(".", self._decimal)

    def number(self, value: float | None, decimals: int = 0) -> str:
        """See :func:`reports.numbers.number`."""
        return self.local(numbers.number(value, decimals))

    def percent(self, fraction: float, decimals: int = 1) -> str:
        """See :func:`reports.numbers.percent`."""
        return self.local(numbers.percent(fraction, decimals))

    def per_ul(self, value: float) -> str:
        """See :func:`reports.numbers.per_ul`."""
        return self.local(numbers.per_ul(value))

    def signed(self, value: float, decimals: int = 1) -> str:
        """See :func:`reports.numbers.signed`."""
        return self.local(numbers.signed(value, decimals))

    def significant(self, value: float | int | str | None, digits: int = 3) -> str:
        """See :func:`reports.numbers.significant`."""
        written = numbers.significant(value, digits)
        return written if isinstance(value, str) else self.local(written)

    def tick(self, value: float) -> str:
        """A number on an axis, as short as it can be."""
        return self.local(f"{value:g}".replace("-", "−"))

    def when(self, moment: datetime | None) -> str:
        """A time with its zone: ``2026-03-11 09:00 UTC``."""
        return self._date(moment, self.messages["format.when"])

    def day(self, moment: datetime | None) -> str:
        """The date alone: ``2026-03-11``."""
        return self._date(moment, self.messages["format.day"])

    def _date(self, moment: datetime | None, pattern: str) -> str:
        from babel.dates import format_datetime  # noqa: PLC0415

        if moment is None:
            return numbers.CANNOT_BE_SAID
        if moment.tzinfo is None:
            pattern = re.sub(r"\s*z+$", "", pattern)
        # The zone is written as it was stored: a name where it has one, else +01:00.
        zone = moment.tzname() or ""
        shown = format_datetime(
            moment.replace(tzinfo=None), pattern.replace("zzz", "'@'"), locale=self._locale
        )
        return shown.replace("@", zone)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files("reports") / "messages" / name).read_text(encoding="utf-8"))


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)
