"""Shadow: a candidate predicts beside the champion, and nobody but the registry hears of it."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from cellcensus.errors import UsageError
from db import registry
from db.predictions import newest_by_model
from db.tables import Prediction
from flows.context import Context, Outcome
from flows.intake import read
from flows.predict import predict_study


def shadow_study(ctx: Context, folder: Path) -> Outcome | None:
    """Predict a study with the newest candidate of its classes; ``None`` if there is none.

    A candidate's predictions are stored under its own name and never are in force.
    """
    study, _ = read(folder)
    with ctx.store.reading() as session:
        candidate = registry.newest_candidate(session, study.classes)
    if candidate is None:
        return None
    outcome = predict_study(ctx, folder, model_id=candidate.model_id)
    outcome.stage = "shadow"
    return outcome


def beside_champion(ctx: Context, model_id: str) -> dict[str, Any]:
    """How far a model's predictions lie from the champion's, on specimens both have predicted.

    Returns
    -------
    dict
        ``specimens``, and by class the mean ``difference`` and the mean and largest ``distance``
        of the fractions, in points. Leave-donors-out predictions are left aside: on them the two
        did not learn from the same donors.

    Raises
    ------
    UsageError
        There is no such model, or no champion to compare it with.
    """
    with ctx.store.reading() as session:
        model = registry.get_model(session, model_id)
        champion = registry.champion(session, model.classes)
        if champion is None or champion.key == model.key:
            raise UsageError(
                f"there is no other model to compare {model.model_id} with",
                next_step="`cellcensus models list` shows candidates and champions",
            )
        mine, theirs = (newest_by_model(session, m.key) for m in (model, champion))
        both = [
            (mine[key], theirs[key])
            for key in sorted(mine.keys() & theirs.keys())
            if not (mine[key].held_out or theirs[key].held_out)
        ]
    return {
        "model": model.model_id,
        "champion": champion.model_id,
        "specimens": len(both),
        "by_class": {name: _distances(both, name) for name in model.classes} if both else {},
    }


def _distances(both: Sequence[tuple[Prediction, Prediction]], name: str) -> dict[str, float]:
    changes = [_fraction(mine, name) - _fraction(theirs, name) for mine, theirs in both]
    known = [100 * change for change in changes if isfinite(change)]
    if not known:
        return {}
    return {
        "difference": sum(known) / len(known),
        "distance": sum(map(abs, known)) / len(known),
        "largest": max(map(abs, known)),
    }


def _fraction(prediction: Prediction, name: str) -> float:
    found = {row.cell_class: row.fraction for row in prediction.rows}.get(name)
    return float("nan") if found is None else found
