"""A candidate, a gate, a decision."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cellcensus.changeplan import ChangePlan, read_plan
from cellcensus.errors import UsageError
from db import registry
from db.leases import check_alive
from db.settings_trail import note_settings
from db.tables import ModelVersion
from db.verification import verification_donors
from flows.changes import changes, not_allowed, other_classes
from flows.context import Context, Outcome
from flows.gate import Verdict, judge
from flows.intake import Intake, take_in
from flows.predict import predict_study
from flows.train import common_classes, train_model
from flows.trials import KNOWN, trials
from flows.turns import Turn, one_at_a_time


def retrain(ctx: Context, folders: Sequence[Path]) -> Outcome:
    """Train a candidate on the studies and let it replace the champion if it is not worse.

    The plan of changes says what may change, the limits, and who must approve. A refused candidate
    and the reasons are kept for the record.

    Raises
    ------
    TrainingError
        The studies cannot teach a model.
    UsageError
        The plan cannot be used, or allows no change of the classes that the studies now name.
    """
    # Held over all of it: a second one, here or on another machine, finds it decided.
    with one_at_a_time(ctx, "retrain") as turn:
        outcome = _retrain(ctx, folders, read_plan(ctx.settings), turn)
        outcome.notes.extend(turn.waited)
    return outcome


def _retrain(ctx: Context, folders: Sequence[Path], plan: ChangePlan, turn: Turn) -> Outcome:
    taken = [take_in(ctx, Path(folder)) for folder in folders]
    classes = common_classes(taken)
    new_classes = _check_classes(ctx, taken, classes, plan)
    with ctx.store.reading() as session:
        champion = registry.champion(session, classes)
    outcome = train_model(ctx, folders)
    outcome.stage = "retrain"
    assert outcome.model_id is not None
    with ctx.store.reading() as session:
        candidate = registry.get_model(session, outcome.model_id)
        decided = bool(candidate.decisions)
    if candidate.state != "candidate" or champion is None or decided:
        if new_classes:
            outcome.notes.append(new_classes)
        return _already_decided(ctx, outcome, candidate)
    _predict_known(ctx, taken, folders, (candidate, champion))
    verdict = _judged(ctx, taken, classes, (candidate, champion), plan)
    _decide(ctx, outcome, verdict, plan, turn)
    return outcome


def _check_classes(
    ctx: Context, taken: Sequence[Intake], classes: Sequence[str], plan: ChangePlan
) -> str:
    """Words on classes that changed; empty if they did not."""
    differ = other_classes(ctx, classes, [item.study.name for item in taken])
    if differ and not plan.may_change.classes:
        raise UsageError(
            f"the plan of changes allows no change of classes: {differ}",
            next_step="set may_change: {classes: true} in the plan, or keep the classes",
        )
    return differ and f"{differ}; it is the first model of these classes, to be compared by hand"


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


def _predict_known(
    ctx: Context,
    taken: Sequence[Intake],
    folders: Sequence[Path],
    models: tuple[ModelVersion, ModelVersion],
) -> None:
    """Let both models say what they have not said yet of specimens whose composition is known."""
    for item, folder in zip(taken, folders, strict=True):
        known = [s.specimen_id for s in item.usable if s.role in KNOWN]
        for model in models if known else ():
            predict_study(ctx, Path(folder), specimens=known, model_id=model.model_id)


def _judged(
    ctx: Context,
    taken: Sequence[Intake],
    classes: Sequence[str],
    models: tuple[ModelVersion, ModelVersion],
    plan: ChangePlan,
) -> Verdict:
    with ctx.store.reading() as session:
        apart = verification_donors(session, models[0].family)
    verdict = judge(
        trials(ctx, taken, models, apart),
        classes,
        plan.acceptance,
        fewest_verification=plan.verification.fewest if plan.verification.share else 0,
    )
    found = changes(*models)
    against = not_allowed(found, plan.may_change)
    reasons = [*against, *([] if verdict.accepted and against else verdict.reasons)]
    figures = {**verdict.figures, "changes": found}
    return Verdict(verdict.accepted and not against, reasons, figures)


def _decide(ctx: Context, outcome: Outcome, verdict: Verdict, plan: ChangePlan, turn: Turn) -> None:
    model_id = str(outcome.model_id)
    with ctx.store.unit_of_work() as session:
        check_alive(session, turn.run)
        note_settings(session, "gate", plan.model_dump(mode="json"))
        model = registry.get_model(session, model_id)
        reasons, details = list(verdict.reasons), verdict.figures
        if not verdict.accepted:
            registry.refuse(session, model, reasons=reasons, details=details)
            word = "refused, the champion stays"
        elif plan.approval:
            reasons.append(f"to be approved by {' or '.join(plan.approval)}")
            registry.accept(session, model, reasons=reasons, details=details)
            word = f"passed the gate; `cellcensus models promote {model_id}` approves it"
        else:
            registry.crown(session, model, action="retrain", reasons=reasons, details=details)
            word = "promoted"
            outcome.promoted = True
        session.commit()
    outcome.notes.pop()  # what training said of the model's standing is out of date
    outcome.notes.append(f"model {model_id}: {word}")
    outcome.notes.extend(reasons)
