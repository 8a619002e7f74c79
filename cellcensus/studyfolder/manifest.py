"""``study.yaml`` → name, classes, acquisition and what is said of the cells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from cellcensus.addresses import is_address, is_plain
from cellcensus.study import Acquisition, CellHints, Mode, Polarity
from cellcensus.studyfolder.notes import Notes, did_you_mean, shown
from cellcensus.studyfolder.textfile import read_text

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9 ._-]{0,62}[A-Za-z0-9_-])?")
_CLASS = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_RESERVED = frozenset({"wbc", "unclassified", "artefact", "total"})
MOST_CLASSES = 32
_KEYS = {
    "": ("name", "classes", "acquisition", "cells", "recordings"),
    "acquisition": ("mode", "pixel_size_um", "frame_rate_hz"),
    "cells": ("diameter_um", "polarity"),
}


@dataclass(frozen=True)
class Manifest:
    """What ``study.yaml`` says."""

    name: str
    classes: tuple[str, ...]
    acquisition: Acquisition
    cells: CellHints
    recordings: str | None = None


def read_manifest(path: Path, notes: Notes) -> Manifest | None:
    """Read ``study.yaml``; ``None`` with violations in ``notes`` if it cannot be used."""
    content = _content(path, notes)
    if content is None:
        return None
    _unknown_keys(content, "", notes)
    name, classes = _name(content, notes), _classes(content, notes)
    acquisition = _acquisition(_part(content, "acquisition", notes, needed=True), notes)
    cells = _cells(_part(content, "cells", notes, needed=False), notes)
    recordings = _recordings(content, notes)
    if notes.unusable or acquisition is None:
        return None
    return Manifest(name, classes, acquisition, cells, recordings)


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice: YAML would keep the last one in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands there twice", node.start_mark
                )
        return super().construct_mapping(node, deep)


def _content(path: Path, notes: Notes) -> dict[str, Any] | None:
    text = read_text(path, notes)
    if text is None:
        return None
    try:
        content = yaml.load(text, _Loader)  # noqa: S506 - derived from SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        why = getattr(error, "problem", None) or "it cannot be read"
        notes.violation(
            "yaml_invalid", f"study.yaml is not YAML{where}: {why}", "Correct that line."
        )
        return None
    if not isinstance(content, dict):
        notes.violation(
            "yaml_invalid", "study.yaml is not a list of `key: value` lines", "See the example."
        )
        return None
    return {str(key): value for key, value in content.items()}


def _unknown_keys(content: dict[str, Any], part: str, notes: Notes) -> None:
    for key in content:
        if key not in _KEYS[part]:
            place = f"{part}.{key}" if part else key
            hint = did_you_mean(key, _KEYS[part])
            notes.alert(
                "key_unknown",
                f"study.yaml: {shown(place)} is no known key and was not read",
                f"Remove or correct it.{hint}",
                place,
            )


def _part(content: dict[str, Any], key: str, notes: Notes, *, needed: bool) -> dict[str, Any]:
    value = content.get(key)
    if value is None or value == {}:
        if needed:
            _missing(key, notes, f"Add the section {key}.")
        return {}
    if not isinstance(value, dict):
        notes.violation("key_invalid", f"study.yaml: {key} is no section", "Indent its lines.", key)
        return {}
    part = {str(name): inner for name, inner in value.items()}
    _unknown_keys(part, key, notes)
    return part


def _missing(key: str, notes: Notes, action: str) -> None:
    notes.violation("key_missing", f"study.yaml has no {key}", action, key)


def _name(content: dict[str, Any], notes: Notes) -> str:
    name = content.get("name")
    if name is None:
        _missing("name", notes, "Add a name that no other study has.")
    elif not _NAME.fullmatch(str(name)):
        notes.violation(
            "name_unsafe",
            f"The study's name {shown(name)} cannot name a folder",
            "Use at most 64 of: letters a-z, digits, blank, . _ -",
            "name",
        )
    return str(name)


def _classes(content: dict[str, Any], notes: Notes) -> tuple[str, ...]:
    given = content.get("classes")
    if given is None:
        _missing("classes", notes, "Add `classes: [neutrophil, lymphocyte, …]`.")
        return ()
    if not isinstance(given, list) or not 2 <= len(given) <= MOST_CLASSES:
        message = f"study.yaml: classes must be a list of 2 to {MOST_CLASSES} names"
        notes.violation("classes_invalid", message, "Write [neutrophil, lymphocyte, …].", "classes")
        return ()
    names = tuple(str(name).strip() for name in given)
    for name in names:
        if not _CLASS.fullmatch(name) or name.casefold() in _RESERVED:
            message = f"study.yaml: {shown(name)} cannot name a class"
            action = "Use letters, digits, _ and -; some words, such as wbc, are taken."
            notes.violation("classes_invalid", message, action, "classes")
    # Columns are named after classes, and a spreadsheet may turn - into _.
    if len({name.casefold().replace("-", "_") for name in names}) < len(names):
        message = "study.yaml names a class twice"
        notes.violation("classes_invalid", message, "Remove one of the two.", "classes")
    return names


def _recordings(content: dict[str, Any], notes: Notes) -> str | None:
    place = content.get("recordings")
    if place is None:
        return None
    if isinstance(place, str) and is_address(place) and is_plain(place):
        return place
    message = f"study.yaml: recordings {shown(place)} is no address of a storage"
    action = "Write one such as s3://bucket/folder, or leave it out: paths lead into the folder."
    notes.violation("key_invalid", message, action, "recordings")
    return None


def _acquisition(part: dict[str, Any], notes: Notes) -> Acquisition | None:
    mode = _word(part, "acquisition", "mode", [m.value for m in Mode], notes)
    pixel = _positive(part, "acquisition", "pixel_size_um", notes)
    rate = _positive(part, "acquisition", "frame_rate_hz", notes)
    if part and mode is None and "mode" not in part:
        _missing("acquisition.mode", notes, "Add `mode: flow`, `fields` or `events`.")
    if part and pixel is None and "pixel_size_um" not in part:
        _missing("acquisition.pixel_size_um", notes, "Add the width of a pixel in micrometres.")
    if pixel is not None and not 0.02 <= pixel <= 10:
        notes.alert(
            "pixel_size_unusual",
            f"A pixel of {pixel:g} µm is unusual",
            "Check the unit: micrometres.",
            "acquisition.pixel_size_um",
        )
    if mode == Mode.FLOW and rate is None:
        notes.alert(
            "frame_rate_missing",
            "study.yaml gives no frame rate, so that speeds rest on what the files say",
            "Add acquisition.frame_rate_hz.",
            "acquisition.frame_rate_hz",
        )
    return Acquisition(Mode(mode), pixel, rate) if mode and pixel else None


def _cells(part: dict[str, Any], notes: Notes) -> CellHints:
    polarity = _word(part, "cells", "polarity", [p.value for p in Polarity], notes)
    diameter = part.get("diameter_um")
    if diameter is None:
        return CellHints(None, Polarity(polarity) if polarity else None)
    good = isinstance(diameter, list) and len(diameter) == 2
    good = good and all(_is_number(value) for value in diameter)
    if not good or not 0 < diameter[0] < diameter[1]:
        notes.violation(
            "key_invalid",
            f"study.yaml: cells.diameter_um {shown(diameter)} must be [smallest, largest]",
            "Write for example [5, 25].",
            "cells.diameter_um",
        )
        return CellHints()
    return CellHints(
        (float(diameter[0]), float(diameter[1])), Polarity(polarity) if polarity else None
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _word(
    part: dict[str, Any], section: str, key: str, allowed: list[str], notes: Notes
) -> str | None:
    value = part.get(key)
    if value is None:
        return None
    word = str(value).strip().casefold()
    if word in allowed:
        return word
    close = get_close_matches(word, allowed, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    message = f"study.yaml: {section}.{key} {shown(value)} is none of {', '.join(allowed)}"
    notes.violation("key_invalid", message, f"Use one of these words.{hint}", f"{section}.{key}")
    return None


def _positive(part: dict[str, Any], section: str, key: str, notes: Notes) -> float | None:
    value = part.get(key)
    if value is None:
        return None
    if _is_number(value) and 0 < value < float("inf"):
        return float(value)
    message = f"study.yaml: {section}.{key} {shown(value)} is no number above 0"
    notes.violation("key_invalid", message, "Write it with a dot: 0.30", f"{section}.{key}")
    return None
