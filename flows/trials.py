"""Both models on every specimen that neither has seen."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from cellcensus.study import Role, Specimen
from db.predictions import newest_by_model
from db.tables import ModelVersion, Prediction
from db.verification import Donor
from flows.context import Context
from flows.gate import Score, Trial
from flows.intake import Intake
from flows.plain import back
from flows.reference import reference_fraction

KNOWN = (Role.MIXED, Role.CONTROL)


def trials(
    ctx: Context,
    taken: Sequence[Intake],
    models: tuple[ModelVersion, ModelVersion],
    apart: frozenset[Donor],
) -> list[Trial]:
    """One a specimen of known composition that candidate and champion can be judged by."""
    with ctx.store.reading() as session:
        made = [newest_by_model(session, model.key) for model in models]
    found = []
    for item in taken:
        for specimen in (s for s in item.usable if s.role in KNOWN):
            key = item.keys[specimen.specimen_id]
            scores = [
                _score(item, specimen, predictions.get(key), model)
                for predictions, model in zip(made, models, strict=True)
            ]
            if scores[0] is not None and scores[1] is not None:
                donor = (item.study.name, specimen.donor_id)
                # A control is never learned from, whatever else is known of its donor.
                kept = donor in apart or specimen.role is Role.CONTROL
                found.append(
                    Trial("/".join(donor), scores[0], scores[1], specimen.instrument_id, kept)
                )
    return found


def _score(
    item: Intake, specimen: Specimen, prediction: Prediction | None, model: ModelVersion
) -> Score | None:
    """How the model did; ``None`` where it cannot be judged by this specimen."""
    if prediction is None or (_seen(item, specimen, model) and not prediction.held_out):
        return None
    errors, covered = {}, {}
    for row in prediction.rows:
        reference = reference_fraction(specimen, row.cell_class, item.study.classes)
        if row.fraction is None or isnan(reference):
            continue
        errors[row.cell_class] = 100 * abs(row.fraction - reference)
        if row.fraction_low is not None and row.fraction_high is not None:
            covered[row.cell_class] = row.fraction_low <= reference <= row.fraction_high
    if not errors:
        return None
    share = prediction.details.get("unclassified_share")
    return Score(errors, covered, _total_error(specimen, prediction), back(share))


def _seen(item: Intake, specimen: Specimen, model: ModelVersion) -> bool:
    return any(
        (t["study"], t["donor_id"]) == (item.study.name, specimen.donor_id)
        for t in model.trained_on
    )


def _total_error(specimen: Specimen, prediction: Prediction) -> float:
    if not specimen.wbc_per_ul or prediction.total_per_ul is None:
        return float("nan")
    return 100 * (prediction.total_per_ul / specimen.wbc_per_ul - 1)
