"""What all stages share: the record of the run, the lock, and who is quarantined."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from cellcensus.errors import CellcensusError
from cellcensus.logs import event
from cellcensus.progress import Silent
from db.findings import quarantined
from db.runs import finish_run, start_run
from db.settings_trail import note_settings
from flows.context import SOFTWARE, Context, Outcome, process_name
from flows.intake import Intake
from flows.locks import exclusive


@contextmanager
def stage(
    ctx: Context, name: str, *, study: str | None, study_key: int | None, settings: dict[str, Any]
) -> Iterator[tuple[Outcome, int]]:
    """Run a stage: one process at a time a study, recorded from beginning to end.

    Yields the outcome to fill and the run's key.
    """
    with exclusive(ctx.home, f"{study or 'models'}.lock", on_wait=lambda: _say_waiting(ctx)):
        with ctx.store.unit_of_work() as session:
            run = start_run(
                session,
                command=ctx.command,
                stage=name,
                study_key=study_key,
                recipe=settings,
                software=SOFTWARE,
                process=process_name(ctx),
            )
            note_settings(session, name, settings)
            session.commit()
        began = time.monotonic()
        event("stage.started", {"stage": name, "study": study, "run": run.key})
        outcome = Outcome(name, study)
        try:
            yield outcome, run.key
        except BaseException as error:
            reason = error.message if isinstance(error, CellcensusError) else type(error).__name__
            outcome.failed.append((name, reason))
            raise
        finally:
            counts = _finish(ctx, run.key, outcome)
            seconds = round(time.monotonic() - began, 3)
            ids = {"stage": name, "study": study, "run": run.key, "model": outcome.model_id}
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


def _say_waiting(ctx: Context) -> None:
    if not isinstance(ctx.progress, Silent):
        ctx.progress.start("waiting for another run", 1)
        ctx.progress.finish("its turn comes first")
