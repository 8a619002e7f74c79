"""What other parts say in English sentences, in the language of a report.

The study sheet, recordings and models speak English. Where a translation is at hand it is shown,
with the numbers of the sentence; where there is none the sentence stays as it is: silence would be
worse than the wrong language.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from cellcensus.findings import Finding
from reports.words import Words

_NUMBER = re.compile(r"(?<![\w.−-])\d+(?:\.\d+)?(?:e[+-]?\d+)?%?")
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_SOURCE = "en"


@dataclass(frozen=True, slots=True)
class Translation:
    """Findings by code (what, what to do) and whole sentences, of one language."""

    findings: Mapping[str, tuple[str, str]]
    sentences: Mapping[str, str]


@cache
def translation(language: str) -> Translation:
    """What is translated into a language; nothing into English, which the others speak."""
    if language == _SOURCE:
        return Translation({}, {})
    file = files("reports") / "messages" / f"findings.{language}.toml"
    read = tomllib.loads(file.read_text(encoding="utf-8"))
    codes = {code: (entry["says"], entry["do"]) for code, entry in read["code"].items()}
    return Translation(codes, read["sentence"])


def finding_in_words(finding: Finding, say: Words) -> tuple[str, str]:
    """What was found and what to do about it; without a full stop at the end of the first."""
    return problem_in_words(finding.code, finding.message, finding.action, say, finding.column)


def problem_in_words(
    code: str, message: str, action: str, say: Words, column: str | None = None
) -> tuple[str, str]:
    """The same for a reason of quarantine, which has no level."""
    known = translation(say.language).findings.get(code)
    if known is None:
        return message.rstrip("."), action
    numbers = [_local(number, say) for number in _NUMBER.findall(message)]
    values = {str(i): number for i, number in enumerate(numbers)}
    if column:
        values["column"] = column
    return tuple(_filled(template, values) for template in known)  # type: ignore[return-value]


def sentence_in_words(sentence: str, say: Words) -> str:
    """A whole sentence; one that is not known stays as it is."""
    numbers: list[str] = []

    def mark(found: re.Match[str]) -> str:
        numbers.append(_local(found.group(), say))
        return f"{{{len(numbers) - 1}}}"

    known = translation(say.language).sentences.get(_NUMBER.sub(mark, sentence))
    return sentence if known is None else known.format(*numbers)


def _filled(template: str, values: Mapping[str, str]) -> str:
    """Placeholders filled; ``[…]`` is left out, or is its part after ``|``, if a value lacks."""

    def part(found: re.Match[str]) -> str:
        first, _, otherwise = found.group(1).partition("|")
        return first if set(re.findall(r"{(\w+)}", first)) <= values.keys() else otherwise

    return re.sub(r"{(\w+)}", lambda found: values[found.group(1)], _OPTIONAL.sub(part, template))


def _local(number: str, say: Words) -> str:
    return say.local(number).replace("%", "\u202f%")
