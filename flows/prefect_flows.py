"""The stages as Prefect flows: the same functions, seen and retried by a Prefect server.

Importing this module costs two seconds, so nothing else of the house does. Results are not kept by
Prefect: whether something is done is decided by the database alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.events import emit_event
from prefect.states import Completed, Failed, State
from prefect.utilities.annotations import quote

from cellcensus.errors import CellcensusError, StoreError
from cellcensus.settings import Settings
from flows import ingest as ingesting
from flows import predict as predicting
from flows import report as reporting
from flows import train as training
from flows.context import Context, Outcome, open_context
from flows.housekeeping import keep_house
from flows.inbox import take_from_inbox
from flows.prefect_conductor import LogProgress, PrefectConductor
from flows.retrain import retrain as retrain_model
from flows.run import predict_new, run_study
from flows.task_runners import task_runner

Work = Callable[[Context], Sequence[Outcome]]


def _may_pass(_task: Any, _run: Any, state: State[Any]) -> bool:
    """Whether an error may be gone the next time: ours say what is wrong and stay.

    A database that could not be reached is the exception: it may only be starting.
    """
    error = state.result(raise_on_failure=False)
    return isinstance(error, StoreError) or not isinstance(error, CellcensusError)


@task(
    name="stages",
    task_run_name="{name}",
    retries=1,
    retry_delay_seconds=30,
    retry_condition_fn=_may_pass,
    persist_result=False,
    cache_policy=NO_CACHE,
)
def _do(name: str, home: str | None, work: Work) -> list[Outcome]:
    settings = Settings(home=Path(home)) if home else Settings()
    conductor = PrefectConductor()
    with open_context(settings, progress=LogProgress(), conductor=conductor) as ctx:
        ctx.command = f"prefect {name}"
        return list(work(ctx))


def _conduct(name: str, home: str | None, work: Work) -> State[Any]:
    try:
        outcomes: list[Outcome] = cast(Any, _do)(name, home, quote(work))
    except CellcensusError as error:
        return Failed(message=str(error))
    _show(name, outcomes)
    summary = "; ".join(outcome.summary() for outcome in outcomes)
    if any(outcome.failed for outcome in outcomes):
        return Failed(message=summary)
    aside = any(outcome.quarantined for outcome in outcomes)
    data = [outcome.as_dict() for outcome in outcomes]
    return Completed(name="Quarantined" if aside else None, message=summary, data=data)


def _show(name: str, outcomes: Sequence[Outcome]) -> None:
    """Leave a table of what was done, and tell of what somebody must look at; ids only."""
    rows = [
        {
            "stage": outcome.stage,
            "study": outcome.study or "",
            "done": outcome.done,
            "up to date": outcome.skipped,
            "quarantined": ", ".join(specimen for specimen, _ in outcome.quarantined),
            "notes": "; ".join(outcome.notes),
        }
        for outcome in outcomes
    ]
    create_table_artifact(rows, key=f"cellcensus-{name}", description="What was done")
    for outcome in outcomes:
        for specimen, _ in outcome.quarantined:
            emit_event(
                "cellcensus.specimen.quarantined",
                resource={"prefect.resource.id": f"cellcensus.specimen.{outcome.study}.{specimen}"},
                payload={"study": outcome.study, "specimen": specimen},
            )
        for code in outcome.raised:
            emit_event(
                "cellcensus.drift.raised",
                resource={"prefect.resource.id": f"cellcensus.study.{outcome.study}"},
                payload={"study": outcome.study, "code": code},
            )
        if outcome.promoted:
            emit_event(
                "cellcensus.model.promoted",
                resource={"prefect.resource.id": f"cellcensus.model.{outcome.model_id}"},
                payload={"reasons": outcome.notes},
            )


_OPTIONS: dict[str, Any] = {
    "persist_result": False,
    # Read once, from the environment: Prefect asks for it before it knows a flow's parameters.
    "task_runner": task_runner(Settings()),
}


@flow(**_OPTIONS, name="ingest")
def ingest(study: str, home: str | None = None) -> State[Any]:
    """Recordings → cells."""
    return _conduct("ingest", home, lambda ctx: [ingesting.ingest_study(ctx, Path(study))])


@flow(**_OPTIONS, name="train")
def train(studies: list[str], home: str | None = None) -> State[Any]:
    """Cells and what is known of them → a model."""
    folders = [Path(study) for study in studies]
    return _conduct("train", home, lambda ctx: [training.train_model(ctx, folders)])


@flow(**_OPTIONS, name="predict")
def predict(study: str, home: str | None = None, model_id: str | None = None) -> State[Any]:
    """Cells and a model → compositions."""
    return _conduct(
        "predict",
        home,
        lambda ctx: [predicting.predict_study(ctx, Path(study), model_id=model_id)],
    )


@flow(**_OPTIONS, name="report")
def report(study: str, home: str | None = None) -> State[Any]:
    """Compositions → reports."""
    return _conduct("report", home, lambda ctx: [reporting.report_study(ctx, Path(study))])


@flow(**_OPTIONS, name="run")
def run(study: str, home: str | None = None) -> State[Any]:
    """The main job: ingest → train → predict → report."""
    return _conduct("run", home, lambda ctx: run_study(ctx, Path(study)))


@flow(**_OPTIONS, name="nightly")
def nightly(studies: list[str], home: str | None = None) -> State[Any]:
    """What is new in each study: ingest → predict with the champion → report."""
    return _conduct("nightly", home, lambda ctx: _each(ctx, studies))


@flow(**_OPTIONS, name="retrain")
def retrain(studies: list[str], home: str | None = None) -> State[Any]:
    """A candidate, a gate, a decision."""
    folders = [Path(study) for study in studies]
    return _conduct("retrain", home, lambda ctx: [retrain_model(ctx, folders)])


@flow(**_OPTIONS, name="inbox")
def inbox(folder: str, home: str | None = None) -> State[Any]:
    """What has become whole in the inbox: ingest → predict → report, and retrain if it is asked."""
    return _conduct("inbox", home, lambda ctx: take_from_inbox(ctx, Path(folder)))


@flow(**_OPTIONS, name="housekeeping")
def housekeeping(home: str | None = None) -> State[Any]:
    """A copy of the database, and less of what nobody needs."""
    return _conduct("housekeeping", home, lambda ctx: [keep_house(ctx)])


def _each(ctx: Context, studies: Sequence[str]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for study in studies:
        try:
            outcomes += predict_new(ctx, Path(study))
        except CellcensusError as error:  # one bad study never stops the others
            outcomes.append(Outcome("nightly", Path(study).name, failed=[(study, str(error))]))
    return outcomes
