"""Cells and a model → compositions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any

from cellcensus.errors import UsageError
from cellcensus.progress import Progress
from cellcensus.recipe import Recipe
from cellcensus.settings import CompositionSettings
from cellcensus.study import Role, Specimen
from db import registry
from db.cells import current_cell_files
from db.leases import settle, specimen_subject
from db.predictions import add_prediction, find_prediction, held_out_of, make_current
from db.tables import CellFile, ModelVersion, Prediction
from flows.bags import BagSource, load_bag
from flows.composed import Composed, prediction_values, publish_prediction
from flows.context import Context, Outcome, reported
from flows.identity import predict_recipe
from flows.intake import Intake, take_in
from flows.keptcells import kept_cells
from flows.paths import prediction_file
from flows.sharing import shared
from flows.stage import say_quarantined, stage

PREDICTED = (Role.PURIFIED, Role.MIXED, Role.UNKNOWN, Role.CONTROL)

SEEN_SPECIMEN, SEEN_DONOR = "specimen_in_training", "donor_in_training"


@dataclass(frozen=True)
class PredictJob:
    """One specimen to predict."""

    source: BagSource
    model_folder: Path
    model_sha256: str
    settings: CompositionSettings
    out: Path
    flags: tuple[str, ...]
    recipe: Recipe
    cell_file_key: int


def predict_one(job: PredictJob) -> Composed:
    """Predict one specimen, and publish the class of each of its cells."""
    from models.prediction import predict
    from pipeline.cells import read_columns

    model = load_model(job.model_folder, job.model_sha256)
    bag = load_bag(job.source)
    prediction = predict(model, bag, settings=job.settings)
    with job.source.cells.folder() as folder:
        cell_ids = read_columns(folder, ["cell_id"])["cell_id"]
    return publish_prediction(prediction, cell_ids, job.out, job.flags)


@lru_cache(maxsize=2)
def load_model(folder: Path, sha256: str) -> Any:
    """A model, checked against its hash; kept for the next specimen.

    Raises
    ------
    ModelFileError
        Its files are missing or were altered.
    """
    from models.modelfile import load

    return load(folder, sha256)


def predict_study(
    ctx: Context, folder: Path, *, specimens: Sequence[str] = (), model_id: str | None = None
) -> Outcome:
    """Predict every specimen that has cells and no prediction yet by this model.

    Mixed specimens that the model learned from keep their leave-donors-out predictions.

    Raises
    ------
    UsageError
        There is no model yet, or none of that id, or it is for other classes.
    """
    taken = take_in(ctx, folder, specimens)
    model = _model(ctx, taken, model_id)
    settings = ctx.settings.composition.model_dump(mode="json")
    with stage(ctx, "predict", study=taken.study.name, study_key=taken.key, settings=settings) as (
        outcome,
        run,
    ):
        outcome.model_id = model.model_id
        jobs = _what_is_to_do(ctx, taken, model, outcome)
        for job in islice(jobs.values(), 1):
            load_model(job.model_folder, job.model_sha256)  # a bad file stops here, once
        with reported(ctx, "predicting", len(jobs)) as progress:
            prepare = partial(_unless_done, ctx, taken, outcome=outcome, progress=progress)
            for job, result in shared(ctx, run, predict_one, jobs, prepare, label="predict"):
                _write_down(ctx, taken, model, (job, result), outcome=outcome, run=run)
                progress.advance()
        say_quarantined(ctx, taken, specimens, outcome)
    return outcome


def _model(ctx: Context, taken: Intake, model_id: str | None) -> ModelVersion:
    classes = taken.study.classes
    with ctx.store.reading() as session:
        model = (
            registry.get_model(session, model_id)
            if model_id
            else registry.champion(session, classes)
        )
    if model is None:
        raise UsageError(
            f"there is no model for the classes {', '.join(classes)} yet",
            next_step=f"`cellcensus train {taken.study.folder}`, or `cellcensus run` does it all",
        )
    if set(model.classes) != set(classes):
        raise UsageError(
            f"model {model.model_id} is for the classes {', '.join(model.classes)}",
            next_step="choose a model of the study's classes with `cellcensus models list`",
        )
    return model


def _what_is_to_do(
    ctx: Context, taken: Intake, model: ModelVersion, outcome: Outcome
) -> dict[str, PredictJob]:
    """Jobs whose prediction does not stand, by the subject of their lease."""
    with ctx.store.reading() as session:
        stored = current_cell_files(session, taken.key)
        held_out = held_out_of(session, model.key)
    jobs: dict[str, PredictJob] = {}
    waiting, gone, kept_held_out = [], [], 0
    for specimen in taken.usable:
        if specimen.role not in PREDICTED:
            continue
        cell_file = stored.get(specimen.specimen_id)
        if cell_file is None:
            waiting.append(specimen.specimen_id)
            continue
        kept = held_out.get(taken.keys[specimen.specimen_id])
        if kept is not None and kept.cell_file_key == cell_file.key:
            kept_held_out += 1
            continue
        job = _job(ctx, taken, model, specimen, cell_file)
        if _stands(ctx, taken, job):
            outcome.skipped += 1
        elif job.source.cells.pictures_are_gone() and _found(ctx, taken, job) is None:
            gone.append(specimen.specimen_id)
        else:
            jobs[specimen_subject(taken.keys[specimen.specimen_id])] = job
    outcome.skipped += kept_held_out
    if kept_held_out and jobs:
        outcome.notes.append(
            f"{kept_held_out} mixed specimens keep the predictions that training made without them"
        )
    if gone:
        outcome.notes.append(
            f"pictures deleted after their time, earlier predictions stand: {', '.join(gone)}"
        )
    if waiting:
        outcome.notes.append(f"without cells, not predicted: {', '.join(waiting)}")
    return jobs


def _job(
    ctx: Context, taken: Intake, model: ModelVersion, specimen: Specimen, cell_file: CellFile
) -> PredictJob:
    recipe = predict_recipe(
        specimen, cell_file.recipe_id, model.sha256, ctx.settings, held_out=False
    )
    name = taken.study.name
    return PredictJob(
        source=BagSource(name, specimen, kept_cells(ctx.settings, cell_file.path)),
        model_folder=ctx.home / model.path,
        model_sha256=model.sha256,
        settings=ctx.settings.composition,
        out=prediction_file(ctx.home, name, specimen.specimen_id, recipe.id),
        flags=_seen(model, name, specimen),
        recipe=recipe,
        cell_file_key=cell_file.key,
    )


def _seen(model: ModelVersion, study: str, specimen: Specimen) -> tuple[str, ...]:
    """A prediction of what the model learned from looks better than it is, and says so."""
    if any(
        (t["study"], t["specimen_id"]) == (study, specimen.specimen_id) for t in model.trained_on
    ):
        return (SEEN_SPECIMEN,)
    if any((t["study"], t["donor_id"]) == (study, specimen.donor_id) for t in model.trained_on):
        return (SEEN_DONOR,)
    return ()


def _stands(ctx: Context, taken: Intake, job: PredictJob) -> bool:
    row = _found(ctx, taken, job)
    return row is not None and row.current


def _unless_done(
    ctx: Context, taken: Intake, job: PredictJob, *, outcome: Outcome, progress: Progress
) -> PredictJob | None:
    """The job, unless its prediction was made before or by another machine meanwhile."""
    row = _found(ctx, taken, job)
    if row is None:
        return job
    if not row.current:
        with ctx.store.unit_of_work() as session:
            row = find_prediction(session, taken.keys[job.source.specimen_id], job.recipe.id)
            assert row is not None
            make_current(session, row)
            session.commit()
    outcome.skipped += 1
    progress.advance()
    return None


def _found(ctx: Context, taken: Intake, job: PredictJob) -> Prediction | None:
    """The prediction, if row and file are there."""
    with ctx.store.reading() as session:
        row = find_prediction(session, taken.keys[job.source.specimen_id], job.recipe.id)
    return row if row is not None and (ctx.home / row.path).is_file() else None


def _write_down(
    ctx: Context,
    taken: Intake,
    model: ModelVersion,
    done: tuple[PredictJob, Composed | Exception],
    *,
    outcome: Outcome,
    run: int,
) -> None:
    job, result = done
    name = job.source.specimen_id
    if isinstance(result, Exception):
        outcome.failed.append((name, f"specimen {name}: {result}"))
        return
    key = taken.keys[name]
    with ctx.store.unit_of_work() as session:
        settle(session, run, specimen_subject(key))
        row = find_prediction(session, key, job.recipe.id)
        if row is None:
            keys = {
                "specimen_key": key,
                "cell_file_key": job.cell_file_key,
                "model_key": model.key,
                "run_key": run,
            }
            values = prediction_values(job.recipe, ctx.relative(job.out), held_out=False, **keys)
            add_prediction(session, {**values, **result.values}, result.rows)
        else:
            make_current(session, row)
        session.commit()
    outcome.done += 1
