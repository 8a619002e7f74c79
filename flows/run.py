"""The main job: ingest → train → predict → report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cellcensus.errors import TrainingError
from db import registry
from flows.context import Context, Outcome
from flows.drift import retrain_for_drift, watch_drift
from flows.ingest import ingest_study
from flows.intake import read
from flows.predict import predict_study
from flows.report import report_study
from flows.shadow import shadow_study
from flows.train import train_model


def run_study(ctx: Context, folder: Path) -> list[Outcome]:
    """Do everything that is not done yet for a study.

    A study that cannot teach a model is predicted by the champion, if there is one.

    Raises
    ------
    StudyError
        The study cannot be used.
    """
    outcomes = [ingest_study(ctx, folder)]
    trained = _train(ctx, folder)
    outcomes.append(trained)
    if trained.model_id is not None:
        in_force = _in_force(ctx, trained.model_id)
        outcomes.append(predict_study(ctx, folder, model_id=in_force))
    outcomes.append(report_study(ctx, folder))
    return say_once(outcomes)


def predict_new(ctx: Context, folder: Path, *, specimens: Sequence[str] = ()) -> list[Outcome]:
    """Ingest, predict with the champion, and report what is new in a study: the nightly job.

    What drifts is raised; with ``drift.retrain`` it makes a candidate, which meets the gate.

    A study whose classes have no model yet is run from beginning to end; ``specimens`` narrows
    what is looked at otherwise.

    Raises
    ------
    StudyError
        The study cannot be used.
    """
    study, _ = read(folder)
    with ctx.store.reading() as session:
        champion = registry.champion(session, study.classes)
    if champion is None:
        return run_study(ctx, folder)
    outcomes = [work(ctx, folder, specimens=specimens) for work in (ingest_study, predict_study)]
    drift = watch_drift(ctx, study.name) if ctx.settings.drift.watch else None
    if drift is not None and drift.notes:
        outcomes.append(drift)
    outcomes.append(report_study(ctx, folder, specimens=specimens))
    if ctx.settings.gate.shadow and (beside := shadow_study(ctx, folder)):
        outcomes.append(beside)
    if drift is not None and drift.raised and ctx.settings.drift.retrain:
        outcomes.append(retrain_for_drift(ctx, study.name))
    return say_once(outcomes)


def say_once(outcomes: list[Outcome]) -> list[Outcome]:
    """Let each quarantined specimen be named by the first stage only."""
    seen: set[tuple[str, str]] = set()
    for outcome in outcomes:
        outcome.quarantined = [entry for entry in outcome.quarantined if entry not in seen]
        seen.update(outcome.quarantined)
    return outcomes


def _train(ctx: Context, folder: Path) -> Outcome:
    try:
        return train_model(ctx, [folder], crown="trained by `run`")
    except TrainingError as error:
        study, _ = read(folder)
        outcome = Outcome("train", study.name)
        with ctx.store.reading() as session:
            champion = registry.champion(session, study.classes)
        if champion is None:
            outcome.failed.append(("train", str(error)))
        else:
            outcome.model_id = champion.model_id
            outcome.notes.append(f"{error.message}; predicted by the champion {champion.model_id}")
        return outcome


def _in_force(ctx: Context, model_id: str) -> str | None:
    with ctx.store.reading() as session:
        model = registry.get_model(session, model_id)
        if model.state == "champion":
            return model_id
        # Another study's run took over the crown, which is no judgement on this study's model; a
        # promotion, a refusal or a rollback is one, and then the champion predicts.
        return model_id if registry.retired_by(session, model) == "run" else None
