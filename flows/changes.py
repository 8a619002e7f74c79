"""What a candidate changes against the champion, held against the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cellcensus.changeplan import MayChange
from db import registry
from db.tables import ModelVersion
from flows.context import Context


def changes(candidate: ModelVersion, champion: ModelVersion) -> dict[str, str]:
    """Kind of change (as the plan names it) → what is different, in words."""
    found = {
        "training_data": _data(candidate.trained_on, champion.trained_on),
        "settings": _settings(candidate.recipe, champion.recipe),
        "generation": _generation(candidate.recipe, champion.recipe),
        "instruments": _instruments(candidate.trained_on, champion.trained_on),
    }
    return {kind: words for kind, words in found.items() if words}


def not_allowed(found: Mapping[str, str], plan: MayChange) -> list[str]:
    """Reasons against a candidate: each change that the plan does not allow."""
    return [
        f"the plan allows no change of {kind.replace('_', ' ')}, but {words}"
        for kind, words in found.items()
        if not getattr(plan, kind)
    ]


def other_classes(ctx: Context, classes: Sequence[str], studies: Sequence[str]) -> str:
    """How ``classes`` differ from those of the champion these studies had; empty: they do not.

    Models of other classes stand beside each other and are never compared; a study that changes
    its classes leaves its champion behind, which is what the plan is asked about.
    """
    family = registry.family_of(classes)
    with ctx.store.reading() as session:
        champions = registry.champions(session)
    if any(model.family == family for model in champions):
        return ""
    for model in champions:
        if {entry["study"] for entry in model.trained_on} & set(studies):
            added = [name for name in classes if name not in model.classes]
            dropped = [name for name in model.classes if name not in classes]
            return f"the classes differ from those of {model.model_id}: {_listed(added, dropped)}"
    return ""


def _data(mine: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> str:
    new, old = (
        {(entry["study"], entry["specimen_id"]) for entry in entries} for entries in (mine, theirs)
    )
    if new == old:
        return ""
    return f"{len(new - old)} specimens are new and {len(old - new)} are no longer learned from"


def _settings(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    new, old = mine.get("settings", {}), theirs.get("settings", {})
    names = sorted(name for name in new.keys() | old.keys() if new.get(name) != old.get(name))
    return f"training differs in {', '.join(names)}" if names else ""


def _generation(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    new, old = mine.get("generation"), theirs.get("generation")
    return f"training is of generation {new}, not {old}" if new != old else ""


def _instruments(mine: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> str:
    new, old = (
        {entry["instrument_id"] for entry in entries if entry.get("instrument_id")}
        for entries in (mine, theirs)
    )
    strange = sorted(new - old)
    return f"it learned from {', '.join(strange)}, new to the champion" if strange else ""


def _listed(added: Sequence[str], dropped: Sequence[str]) -> str:
    parts = [f"{', '.join(added)} added"] * bool(added)
    parts += [f"{', '.join(dropped)} dropped"] * bool(dropped)
    return "; ".join(parts)
