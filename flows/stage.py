"""What all stages share: the record of the run, whose turn it is, and who is quarantined."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from cellcensus.errors import CellcensusError
from cellcensus.logs import event
from cellcensus.machine import machine_name
from cellcensus.progress import Silent
from db import leases
from db.findings import quarantined
from db.runs import abandon_runs_of_study, finish_run, start_run
from db.settings_trail import note_settings
from flows.context import SOFTWARE, Context, Outcome, process_name
from flows.heartbeat import beating
from flows.intake import Intake
from flows.locks import exclusive

SHARED = ("ingest", "predict", "report")
"""Stages that several machines do together, a specimen each; any other is done by one."""

POLL_S = 0.5
"""How often is looked whether another machine is ready."""


@contextmanager
def stage(
    ctx: Context, name: str, *, study: str | None, study_key: int | None, settings: dict[str, Any]
) -> Iterator[tuple[Outcome, int]]:
    """Run a stage: one process a machine works on a study, recorded from beginning to end.

    Machines that share the database do :data:`SHARED` stages of a study together; a stage waits
    until other machines are ready with an earlier one.

    Yields the outcome to fill and the run's key.
    """
    say = _Once(ctx)
    with (
        exclusive(ctx.home, f"{study or 'models'}.lock", on_wait=say),
        beating(
            ctx.store,
            _begin(ctx, name, study_key, settings, say),
            ctx.settings.conductor.lease_seconds,
        ) as run,
    ):
        began = time.monotonic()
        event("stage.started", {"stage": name, "study": study, "run": run})
        outcome = Outcome(name, study)
        try:
            yield outcome, run
        except BaseException as error:
            reason = error.message if isinstance(error, CellcensusError) else type(error).__name__
            outcome.failed.append((name, reason))
            raise
        finally:
            counts = _finish(ctx, run, outcome)
            seconds = round(time.monotonic() - began, 3)
            ids = {"stage": name, "study": study, "run": run, "model": outcome.model_id}
            figures = {"seconds": seconds, "state": outcome.state, **counts}
            event("stage.finished", ids | figures)


def say_quarantined(ctx: Context, taken: Intake, wanted: Sequence[str], outcome: Outcome) -> None:
    """Write into ``outcome`` who of the study is quarantined, narrowed to ``wanted``, and why."""
    recordings = {s.specimen_id: s.recording for s in taken.study.specimens if s.recording}
    with ctx.store.reading() as session:
        found = quarantined(session, taken.key)
    for aside in found:
        name = aside.specimen_id
        if wanted and name not in wanted:
            continue
        file = recordings.get(name)
        told = file is None or file in aside.reason
        outcome.quarantined.append((name, aside.reason if told else f"{file}: {aside.reason}"))
        outcome.next_steps[name] = aside.next_step


def _finish(ctx: Context, key: int, outcome: Outcome) -> dict[str, int]:
    counts = {
        "done": outcome.done,
        "skipped": outcome.skipped,
        "quarantined": len(outcome.quarantined),
        "failed": len(outcome.failed),
    }
    notes = [*outcome.notes, *(reason for _, reason in outcome.failed)]
    with ctx.store.unit_of_work() as session:
        finish_run(session, key, state=outcome.state, counts=counts, notes=notes)
        session.commit()
    return counts


def _begin(
    ctx: Context, name: str, study_key: int | None, settings: dict[str, Any], say: _Once
) -> int:
    """Wait until no other machine stands in the way, and write down that the stage begins."""
    while True:
        with ctx.store.unit_of_work() as session:
            leases.begin_alone(session)
            leases.bury(session)
            # Who holds the machine's lock knows that earlier holders are dead.
            where = {"machine": machine_name(), "home": str(ctx.home)}
            abandon_runs_of_study(session, study_key, **where)
            if leases.may_begin(session, study_key=study_key, stage=name, shared=name in SHARED):
                run = start_run(
                    session,
                    command=ctx.command,
                    stage=name,
                    study_key=study_key,
                    recipe=settings,
                    software=SOFTWARE,
                    process=process_name(ctx),
                    lease_seconds=ctx.settings.conductor.lease_seconds,
                )
                note_settings(session, name, settings)
                session.commit()
                return run.key
            session.commit()  # who was found dead stays so
        say()
        time.sleep(POLL_S)


class _Once:
    """Says once that another run goes first."""

    def __init__(self, ctx: Context) -> None:
        self._progress = ctx.progress
        self._said = isinstance(ctx.progress, Silent)

    def __call__(self) -> None:
        if not self._said:
            self._progress.start("waiting for another run", 1)
            self._progress.finish("its turn comes first")
        self._said = True
