"""Cells and what is known of them → a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellcensus.changeplan import read_plan
from cellcensus.errors import StoreError, TrainingError, UsageError
from cellcensus.recipe import Recipe
from cellcensus.study import Role, Specimen
from db import registry
from db.cells import current_cell_files
from db.leases import check_alive
from db.predictions import add_prediction, find_prediction
from db.tables import CellFile
from db.verification import Donor
from flows.composed import Composed, prediction_values, publish_prediction
from flows.context import Context, Outcome
from flows.identity import bag_identity, predict_recipe, train_recipe
from flows.intake import Intake, take_in
from flows.keptcells import kept_cells
from flows.paths import model_folder, prediction_file
from flows.plain import plain
from flows.stage import stage
from flows.together import Lesson, Taught, load_taught
from flows.verification import kept_apart

if TYPE_CHECKING:
    from models.model import Model, Prediction

TEACHING = (Role.PURIFIED, Role.MIXED, Role.BLANK)


@dataclass(frozen=True)
class Teacher:
    """A specimen that a model learns from."""

    study: str
    specimen: Specimen
    specimen_key: int
    cell_file: CellFile


def train_model(ctx: Context, folders: Sequence[Path], *, crown: str | None = None) -> Outcome:
    """Train a model on the ingested cells of one or more studies.

    The first model of its classes becomes the champion; a later one waits as a candidate, unless
    ``crown`` says why it becomes champion at once; where the plan of changes names who approves,
    it waits for them all the same.

    Raises
    ------
    TrainingError
        The studies cannot teach a model.
    UsageError
        The studies name different classes, or no cells are stored yet.
    """
    taken = [take_in(ctx, Path(folder)) for folder in folders]
    classes = common_classes(taken)
    plan = read_plan(ctx.settings)
    settings = ctx.settings.training.model_dump(mode="json")
    study = taken[0].study.name if len(taken) == 1 else None
    with stage(
        ctx, "train", study=study, study_key=taken[0].key if study else None, settings=settings
    ) as (outcome, run):
        apart = kept_apart(ctx, taken, classes, plan.verification)
        teachers = _teachers(ctx, taken, apart, outcome)
        recipe = _recipe(ctx, teachers, classes)
        if not _is_done(ctx, recipe.id):
            teachers = _with_pictures(ctx, teachers, outcome)
            recipe = _recipe(ctx, teachers, classes)
        outcome.model_id = recipe.id
        if _is_done(ctx, recipe.id):
            outcome.skipped = 1
        else:
            _train(ctx, teachers, classes, recipe=recipe, run=run)
            outcome.done = 1
        _place(ctx, outcome, None if plan.approval else crown)
    return outcome


def common_classes(taken: Sequence[Intake]) -> tuple[str, ...]:
    """The classes all studies share, in the order of the first.

    Raises
    ------
    UsageError
        They differ.
    """
    first = taken[0].study
    for other in (item.study for item in taken[1:]):
        if set(other.classes) != set(first.classes):
            raise UsageError(
                f"the studies {first.name} and {other.name} name different classes",
                next_step="train on studies with the same classes",
            )
    return first.classes


def _teachers(
    ctx: Context, taken: Sequence[Intake], apart: frozenset[Donor], outcome: Outcome
) -> list[Teacher]:
    teachers: list[Teacher] = []
    for item in taken:
        with ctx.store.reading() as session:
            stored = current_cell_files(session, item.key)
        wanted = [
            s
            for s in item.usable
            if s.role in TEACHING and (item.study.name, s.donor_id) not in apart
        ]
        missing = [s.specimen_id for s in wanted if s.specimen_id not in stored]
        if missing:
            outcome.notes.append(f"without cells, not learned from: {', '.join(missing)}")
        teachers += [
            Teacher(item.study.name, s, item.keys[s.specimen_id], stored[s.specimen_id])
            for s in wanted
            if s.specimen_id in stored
        ]
    if apart:
        outcome.notes.append(f"{len(apart)} verification donors are kept apart from training")
    if not teachers:
        raise _nothing_to_learn_from(taken)
    return teachers


def _with_pictures(ctx: Context, teachers: Sequence[Teacher], outcome: Outcome) -> list[Teacher]:
    kept = [
        t for t in teachers if not kept_cells(ctx.settings, t.cell_file.path).pictures_are_gone()
    ]
    gone = [t.specimen.specimen_id for t in teachers if t not in kept]
    if gone:
        outcome.notes.append(
            f"pictures deleted after their time, not learned from: {', '.join(gone)}"
        )
    if not kept:
        raise TrainingError(
            "the pictures of all specimens to learn from were deleted after their time",
            next_step="`cellcensus ingest STUDY --specimen ID` makes them again, from recordings",
        )
    return kept


def _nothing_to_learn_from(taken: Sequence[Intake]) -> TrainingError:
    names = ", ".join(item.study.name for item in taken)
    if not any(s.role in (Role.PURIFIED, Role.MIXED) for item in taken for s in item.usable):
        return TrainingError(
            f"{names}: no usable specimen is purified or mixed, so that nothing can be learned",
            next_step="train on a study of the same classes that has some, in the same home",
        )
    return TrainingError(
        f"no cells of purified or mixed specimens are stored for {names}",
        next_step=f"`cellcensus ingest {taken[0].study.folder}`; `cellcensus check` says more",
    )


def _recipe(ctx: Context, teachers: Sequence[Teacher], classes: Sequence[str]) -> Recipe:
    bags = [bag_identity(t.study, t.specimen, t.cell_file.recipe_id) for t in teachers]
    # The order of the sheet is the order of the bags; chance in training is drawn in that order.
    return train_recipe(bags, classes, ctx.settings)


def _is_done(ctx: Context, model_id: str) -> bool:
    with ctx.store.reading() as session:
        model = registry.find_model(session, model_id)
    if model is None:
        return False
    if not (ctx.home / model.path).is_dir():
        raise StoreError(
            f"the files of model {model_id} are missing",
            file=ctx.home / model.path,
            next_step="put the folder back from a backup of the home",
        )
    return True


def _train(
    ctx: Context,
    teachers: Sequence[Teacher],
    classes: tuple[str, ...],
    *,
    recipe: Recipe,
    run: int,
) -> None:
    from models.modelfile import save
    from models.training import train

    taught = tuple(Taught(t.study, t.specimen, t.cell_file.path) for t in teachers)
    if ctx.others:
        ctx.others.teach(Lesson(taught, classes, ctx.settings.training))
    model = train(
        load_taught(ctx.settings, taught, ctx.others),
        classes,
        settings=ctx.settings.training,
        composition=ctx.settings.composition,
        progress=ctx.progress,
    )
    folder = model_folder(ctx.home, recipe.id)
    sha256 = save(model, folder)
    held_out = [
        (teacher, _publish_held_out(ctx, teacher, prediction, sha256))
        for teacher, prediction in _held_out(model, teachers)
    ]
    with ctx.store.unit_of_work() as session:
        check_alive(session, run)
        row = registry.add_model(
            session,
            model_id=recipe.id,
            sha256=sha256,
            path=ctx.relative(folder),
            recipe=recipe.as_dict(),
            classes=classes,
            trained_on=[_trained_on(t) for t in teachers],
            card=plain(model.card),
            run_key=run,
        )
        for teacher, (made, of_recipe, path) in held_out:
            if find_prediction(session, teacher.specimen_key, of_recipe.id) is None:
                keys = {
                    "specimen_key": teacher.specimen_key,
                    "cell_file_key": teacher.cell_file.key,
                    "model_key": row.key,
                    "run_key": run,
                }
                values = prediction_values(of_recipe, path, held_out=True, **keys)
                add_prediction(session, {**values, **made.values}, made.rows)
        session.commit()


def _held_out(model: Model, teachers: Sequence[Teacher]) -> list[tuple[Teacher, Prediction]]:
    # Ids are unique within a study only; predictions come in the order of the bags.
    waiting: dict[str, list[Teacher]] = {}
    for teacher in teachers:
        if teacher.specimen.role is Role.MIXED:
            waiting.setdefault(teacher.specimen.specimen_id, []).append(teacher)
    return [
        (waiting[prediction.specimen_id].pop(0), prediction)
        for prediction in model.held_out
        if waiting.get(prediction.specimen_id)
    ]


def _publish_held_out(
    ctx: Context, teacher: Teacher, prediction: Prediction, sha256: str
) -> tuple[Composed, Recipe, str]:
    from pipeline.cells import read_columns

    specimen = teacher.specimen
    recipe = predict_recipe(
        specimen, teacher.cell_file.recipe_id, sha256, ctx.settings, held_out=True
    )
    file = prediction_file(ctx.home, teacher.study, specimen.specimen_id, recipe.id)
    with kept_cells(ctx.settings, teacher.cell_file.path).folder() as folder:
        cell_ids = read_columns(folder, ["cell_id"])["cell_id"]
    return publish_prediction(prediction, cell_ids, file), recipe, ctx.relative(file)


def _trained_on(teacher: Teacher) -> dict[str, Any]:
    return {
        "study": teacher.study,
        "specimen_id": teacher.specimen.specimen_id,
        "donor_id": teacher.specimen.donor_id,
        "role": teacher.specimen.role.value,
        "instrument_id": teacher.specimen.instrument_id,
    }


def _place(ctx: Context, outcome: Outcome, crown: str | None) -> None:
    assert outcome.model_id is not None
    with ctx.store.unit_of_work() as session:
        model = registry.get_model(session, outcome.model_id)
        champion = registry.champion(session, model.classes)
        if champion is None and model.state == "candidate":
            registry.crown(session, model, action="first", reasons=["the first of its classes"])
            outcome.promoted = True
        elif champion is not None and crown and model.state == "candidate":
            registry.crown(session, model, action="run", reasons=[crown])
            outcome.promoted = True
        session.commit()
        outcome.notes.append(_standing(model.model_id, model.state))


def _standing(model_id: str, state: str) -> str:
    text = f"model {model_id} is {'the champion' if state == 'champion' else state}"
    if state == "candidate":
        return f"{text}; `cellcensus models promote {model_id}` puts it in force"
    return text
