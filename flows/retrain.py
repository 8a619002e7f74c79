"""A candidate, a gate, a decision."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from cellcensus.study import Role, Specimen
from db import registry
from db.predictions import newest_by_model
from db.settings_trail import note_settings
from db.tables import ModelVersion, Prediction
from flows.context import Context, Outcome
from flows.gate import Pairing, Verdict, judge
from flows.intake import Intake, take_in
from flows.predict import predict_study
from flows.reference import reference_fraction
from flows.train import common_classes, train_model


def retrain(ctx: Context, folders: Sequence[Path]) -> Outcome:
    """Train a candidate on the studies and let it replace the champion if it is not worse.

    A refused candidate and the reasons are kept for the record.

    Raises
    ------
    TrainingError
        The studies cannot teach a model.
    """
    taken = [take_in(ctx, Path(folder)) for folder in folders]
    classes = common_classes(taken)
    with ctx.store.reading() as session:
        champion = registry.champion(session, classes)
    outcome = train_model(ctx, folders)
    outcome.stage = "retrain"
    assert outcome.model_id is not None
    with ctx.store.reading() as session:
        candidate = registry.get_model(session, outcome.model_id)
    if candidate.state != "candidate" or champion is None:
        return _already_decided(ctx, outcome, candidate)
    for folder in folders:  # the champion's word on donors it has not seen
        predict_study(ctx, folder, model_id=champion.model_id)
    pairs = _pairs(ctx, taken, candidate, champion)
    verdict = judge(pairs, classes, ctx.settings.gate)
    _decide(ctx, outcome, candidate.model_id, verdict)
    return outcome


def _already_decided(ctx: Context, outcome: Outcome, candidate: ModelVersion) -> Outcome:
    with ctx.store.reading() as session:
        decisions = registry.get_model(session, candidate.model_id).decisions
        if decisions and outcome.done == 0:
            last = decisions[-1]
            outcome.notes.append(
                f"decided before ({last.action}, {last.taken_at:%Y-%m-%d}): "
                + "; ".join(last.reasons)
            )
    return outcome


def _pairs(
    ctx: Context, taken: Sequence[Intake], candidate: ModelVersion, champion: ModelVersion
) -> list[Pairing]:
    with ctx.store.reading() as session:
        by_candidate = newest_by_model(session, candidate.key)
        by_champion = newest_by_model(session, champion.key)
    pairs = []
    for item in taken:
        for specimen in (s for s in item.usable if s.role is Role.MIXED):
            key = item.keys[specimen.specimen_id]
            errors = [
                _errors(item, specimen, made.get(key), model)
                for made, model in ((by_candidate, candidate), (by_champion, champion))
            ]
            if errors[0] and errors[1]:
                donor = f"{item.study.name}/{specimen.donor_id}"
                pairs.append(Pairing(donor, errors[0], errors[1]))
    return pairs


def _errors(
    item: Intake, specimen: Specimen, prediction: Prediction | None, model: ModelVersion
) -> dict[str, float]:
    """Errors in points by class; empty where the model cannot be judged by this specimen."""
    if prediction is None:
        return {}
    seen = any(
        (t["study"], t["donor_id"]) == (item.study.name, specimen.donor_id)
        for t in model.trained_on
    )
    if seen and not prediction.held_out:
        return {}
    errors = {
        row.cell_class: 100
        * abs(row.fraction - reference_fraction(specimen, row.cell_class, item.study.classes))
        for row in prediction.rows
        if row.fraction is not None
    }
    return {name: error for name, error in errors.items() if not math.isnan(error)}


def _decide(ctx: Context, outcome: Outcome, model_id: str, verdict: Verdict) -> None:
    with ctx.store.unit_of_work() as session:
        note_settings(session, "gate", ctx.settings.gate.model_dump(mode="json"))
        model = registry.get_model(session, model_id)
        if verdict.accepted:
            registry.crown(
                session,
                model,
                action="retrain",
                reasons=verdict.reasons,
                details=verdict.figures,
            )
        else:
            registry.refuse(session, model, reasons=verdict.reasons, details=verdict.figures)
        session.commit()
    outcome.notes.pop()  # what training said of the model's standing is out of date
    word = "promoted" if verdict.accepted else "refused, the champion stays"
    outcome.notes.append(f"model {model_id}: {word}")
    outcome.notes.extend(verdict.reasons)
