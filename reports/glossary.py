"""What every flag and quality figure means, in words a technician can act on.

The words stand in ``reports/messages``; weights and units, which no language changes, here.
A code that is not here is still shown, as it stands: silence would be worse than an odd word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from cellcensus.findings import Level
from reports.words import Words, words


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
    """A quality figure in words; ``share`` figures (0–1) are shown in percent.

    ``main`` figures are shown at once, the others on demand.
    """

    title: str
    unit: str = ""
    share: bool = False
    note: str = ""
    main: bool = False


_HOLD, _LOOK, _NOTE = Level.VIOLATION, Level.ALERT, Level.INFORMATION

LEVELS: dict[str, Level] = {
    "no_cells": _HOLD,
    "few_cells": _LOOK,
    "unclassified_over_5_percent": _LOOK,
    "hold_unclassified_over_15_percent": _HOLD,
    "methods_disagree": _LOOK,
    "instrument_drift": _LOOK,
    "no_concentration": _NOTE,
    "instrument_not_in_training": _LOOK,
    "trained_without_mixed": _HOLD,
    "intervals_from_few_donors": _NOTE,
    "specimen_in_training": _NOTE,
    "donor_in_training": _NOTE,
    "held_out": _NOTE,
    "few_mixed_donors": _LOOK,
    "trained_without_purified": _LOOK,
    "trained_without_blank": _NOTE,
    "purity_assumed": _NOTE,
    "cells_reclassified": _NOTE,
}
_NO_PURIFIED = "no_purified_"


def flag_in_words(code: str, say: Words | None = None) -> Flag:
    """The flag of a code; an unknown code is its own title, with the advice to ask."""
    say = say or words()
    if code in LEVELS:
        return _flag(code, code, say, level=LEVELS[code])
    if code.startswith(_NO_PURIFIED):
        name = say.cell_class(code.removeprefix(_NO_PURIFIED))
        return _flag(code, "no_purified", say, cell_class=name)
    return _flag(code, "unheard_of", say)


def _flag(code: str, key: str, say: Words, *, level: Level = _LOOK, cell_class: str = "") -> Flag:
    values = {"class": cell_class, "code": code.replace("_", " ").capitalize()}
    title, meaning, action = (
        say(f"flag.{key}.{part}", **values) for part in ("title", "meaning", "action")
    )
    return Flag(code, title, meaning, action, level)


FLAGS: dict[str, Flag] = {code: flag_in_words(code) for code in LEVELS}
"""All flags in English, for pages that list them."""


def method_in_words(code: str, say: Words | None = None) -> str:
    """How the composition was computed; an unknown code stays as it is."""
    return (say or words()).of("method", code)


_FIGURES: dict[str, QualityName] = {
    "n_cells": QualityName("", main=True),
    "n_frames": QualityName("", main=True),
    "dropped_frames": QualityName("", main=True),
    "duplicated_frames": QualityName("", main=True),
    "cells_per_frame": QualityName("", main=True),
    "share_touching": QualityName("", share=True, main=True),
    "saturated_share": QualityName("", share=True, main=True),
    "focus_median": QualityName("", main=True),
    "focus_drift": QualityName("", share=True, main=True),
    "background_drift": QualityName("", share=True, main=True),
    "noise": QualityName("", share=True, main=True),
    "cell_contrast": QualityName("", share=True, main=True),
    "diameter_um_50": QualityName("", "µm", main=True),
    "flow_speed_um_s": QualityName("", "µm/s", main=True),
    "static_dirt": QualityName("", main=True),
    "height": QualityName("", "px"),
    "width": QualityName("", "px"),
    "bit_depth": QualityName(""),
    "cells_per_frame_max": QualityName(""),
    "rate_variation": QualityName(""),
    "background_level": QualityName(""),
    "gain_sd": QualityName("", share=True),
    "threshold": QualityName("", share=True),
    "polarity": QualityName(""),
    "diameter_px_min": QualityName("", "px"),
    "diameter_px_max": QualityName("", "px"),
    "diameter_px_50": QualityName("", "px"),
    "diameter_um_5": QualityName("", "µm"),
    "diameter_um_95": QualityName("", "µm"),
    "flow_known": QualityName(""),
    "flow_direction_deg": QualityName("", "°"),
    "flow_speed_px": QualityName("", "px_per_frame"),
    "flow_speed_range": QualityName(""),
    "fleeting": QualityName(""),
    "fragments": QualityName(""),
    "slight": QualityName(""),
    "ceiling": QualityName(""),
    "stuck_share": QualityName("", share=True),
    "bubble_share": QualityName("", share=True),
    "dirt_share": QualityName("", share=True),
    "text_lines": QualityName(""),
    "coincidence": QualityName("", share=True),
    "n_cells_corrected": QualityName(""),
    "window_um": QualityName("", "µm"),
    "window_share": QualityName("", share=True),
    "full_scale": QualityName(""),
}


def quality_in_words(code: str, say: Words | None = None) -> QualityName:
    """The name of a quality figure; an unknown code is its own title."""
    say = say or words()
    known = _FIGURES.get(code)
    if known is None:
        return QualityName(code.replace("_", " ").capitalize())
    return replace(
        known,
        title=say(f"quality.{code}"),
        note=say.of("quality_note", code, ""),
        unit=say.of("unit", known.unit),
    )


QUALITY: dict[str, QualityName] = {code: quality_in_words(code) for code in _FIGURES}
"""All figures of a recording in English, in the order of a report."""
