"""What every flag and quality figure means, in words a technician can act on.

A code that is not here is still shown, as it stands: silence would be worse than an odd word.
"""

from __future__ import annotations

from dataclasses import dataclass

from cellcensus.findings import Level


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag in words.

    Parameters
    ----------
    code
        As stored and exported.
    title
        What it says, a few words.
    meaning
        Why it was raised.
    action
        What to do.
    level
        ``violation`` holds the report back; ``alert`` must be looked at.
    """

    code: str
    title: str
    meaning: str
    action: str
    level: Level = Level.ALERT


@dataclass(frozen=True, slots=True)
class QualityName:
    """A quality figure in words; ``share`` figures (0–1) are shown in percent."""

    title: str
    unit: str = ""
    share: bool = False
    note: str = ""


_HOLD = Level.VIOLATION
_NOTE = Level.INFORMATION

_FLAGS = (
    Flag(
        "few_cells",
        "Few cells",
        "So few cells were counted that chance alone makes the fractions uncertain.",
        "Read the intervals, not the values; record more of the specimen if it is at hand.",
    ),
)
FLAGS: dict[str, Flag] = {flag.code: flag for flag in _FLAGS}


def flag_in_words(code: str) -> Flag:
    """The flag of a code; an unknown code is its own title, with the advice to ask."""
    known = FLAGS.get(code)
    if known is not None:
        return known
    return Flag(
        code,
        code.replace("_", " ").capitalize(),
        "This code is not in the glossary of this version.",
        "Ask whoever runs the service before using the values.",
    )


QUALITY: dict[str, QualityName] = {}


def quality_in_words(code: str) -> QualityName:
    """The name of a quality figure; an unknown code is its own title."""
    return QUALITY.get(code) or QualityName(code.replace("_", " ").capitalize())
