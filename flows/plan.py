"""What a study still needs, as its champion's card foresees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cellcensus.errors import UsageError
from cellcensus.studyfolder import load_study
from db import registry
from flows.context import Context


def plan_study(ctx: Context, folder: Path) -> dict[str, Any]:
    """The plan of the model in force for the study's classes, in plain values.

    Raises
    ------
    UsageError
        No model of these classes was trained yet, or by a version that did not plan.
    """
    study = load_study(folder)
    with ctx.store.reading() as session:
        model = registry.champion(session, study.classes)
        card = dict(model.card) if model else {}
        model_id = model.model_id if model else None
    if not card.get("plan"):
        raise UsageError(
            f"no model foresees anything for {study.name} yet",
            next_step=f"`cellcensus train {folder}`, then ask again",
        )
    told = {"study": study.name, "model": model_id, "classes": card["classes"]}
    return {**told, "course": card.get("course", []), **card["plan"]}
