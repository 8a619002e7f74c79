"""Long work that people ask for from a page: what can be asked for, and doing it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from cellcensus.errors import CellcensusError, UsageError, store_error_of
from db import jobs
from db.registry import family_of
from db.store import Store
from db.studies import find_study, latest_description, specimen_keys
from db.tables import Job, Study
from flows.context import Context, Outcome
from flows.followed import JobLostError

log = logging.getLogger("cellcensus.jobs")

Work = Callable[[Context, Sequence[Path], Sequence[str]], list[Outcome]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of work in words; ``of`` is what it is asked for: a study, a specimen or models."""

    code: str
    title: str
    meaning: str
    of: str
    work: Work


def ask_for(
    session: Session,
    kind: str,
    *,
    study: str,
    account: jobs.Asker,
    specimen_id: str | None = None,
    reason: str = "",
) -> tuple[Job, bool]:
    """Queue work on a study or on one of its specimens; to be committed by the caller.

    Returns
    -------
    tuple of Job and bool
        The job, and whether it is new: the same work is not queued twice.

    Raises
    ------
    UsageError
        There is no such kind, study or specimen.
    """
    known = KINDS.get(kind)
    if known is None or (known.of == "specimen") != (specimen_id is not None):
        raise UsageError(
            f"there is no work of the kind {kind!r} here", next_step=f"one of {', '.join(KINDS)}"
        )
    row = find_study(session, study)
    specimen_key = None
    if specimen_id is not None:
        specimen_key = specimen_keys(session, row.key).get(specimen_id)
        if specimen_key is None:
            raise UsageError(f"study {study} has no specimen {specimen_id}")
    studies = studies_like(session, row.key) if known.of == "models" else [study]
    return jobs.ask(
        session,
        kind=kind,
        subject=_subject(session, known, row, specimen_id),
        account=account,
        study_key=row.key,
        specimen_key=specimen_key,
        details={"studies": studies},
        reason=reason,
    )


def queue_rerun(
    store: Store, asker: jobs.Asker, study: str, specimen_id: str, *, reason: str
) -> Job:
    """Queue another run of one specimen, in a unit of work of its own; the job that stands.

    Raises
    ------
    UsageError
        There is no such specimen.
    """
    with store.unit_of_work(asker.name) as session:
        job, _ = ask_for(
            session, "rerun", study=study, specimen_id=specimen_id, account=asker, reason=reason
        )
        session.commit()
    return job


def studies_like(session: Session, study_key: int) -> list[str]:
    """Names of all studies that name the same classes as this one, oldest first."""
    family = family_of(latest_description(session, study_key).classes)
    rows = session.scalars(select(Study).order_by(Study.key)).all()
    return [
        row.name
        for row in rows
        if family_of(latest_description(session, row.key).classes) == family
    ]


def do(ctx: Context, told: jobs.Told) -> tuple[str, str]:
    """Do a job; its state, ``done`` or ``failed``, and what came of it in words."""
    try:
        outcomes = _do(ctx, told)
    except CellcensusError as error:
        return "failed", str(error)
    except JobLostError:
        raise
    except Exception as error:
        of_a_place = store_error_of(error) if isinstance(error, OSError) else None
        if of_a_place is not None:
            return "failed", str(of_a_place)
        log.exception("job %d failed", told.job.key)
        return "failed", (
            f"Something went wrong inside the program ({type(error).__name__}). Next step: ask "
            "for it again; if it fails again, give the number of this job to whoever runs the "
            "service, the log tells more."
        )
    state = "failed" if any(outcome.failed for outcome in outcomes) else "done"
    return state, "\n".join(_in_words(outcomes))


def _do(ctx: Context, told: jobs.Told) -> list[Outcome]:
    kind = KINDS.get(told.job.kind)
    if kind is None:
        raise UsageError(
            f"this version knows no work of the kind {told.job.kind!r}",
            next_step="let all workers run the same version",
        )
    names = told.job.details.get("studies") or [told.study]
    with ctx.store.reading() as session:
        folders = [
            Path(latest_description(session, find_study(session, name).key).folder)
            for name in names
        ]
    return kind.work(ctx, folders, [told.specimen_id] if told.specimen_id else [])


def _in_words(outcomes: Sequence[Outcome]) -> list[str]:
    lines = []
    for outcome in outcomes:
        lines.append(outcome.summary())
        lines += [f"{name}: {reason}" for name, reason in outcome.quarantined]
        lines += outcome.notes
    return lines


def _subject(session: Session, kind: Kind, study: Study, specimen_id: str | None) -> str:
    if kind.of == "models":
        return f"models:{family_of(latest_description(session, study.key).classes)}"
    return f"specimen:{study.name}/{specimen_id}" if specimen_id else f"study:{study.name}"


def _run(ctx: Context, folders: Sequence[Path], _: Sequence[str]) -> list[Outcome]:
    from flows.run import predict_new

    return predict_new(ctx, folders[0])


def _ingest(ctx: Context, folders: Sequence[Path], _: Sequence[str]) -> list[Outcome]:
    from flows.ingest import ingest_study

    return [ingest_study(ctx, folders[0])]


def _predict(ctx: Context, folders: Sequence[Path], _: Sequence[str]) -> list[Outcome]:
    from flows.predict import predict_study

    return [predict_study(ctx, folders[0])]


def _report(ctx: Context, folders: Sequence[Path], _: Sequence[str]) -> list[Outcome]:
    from flows.report import report_study

    return [report_study(ctx, folders[0])]


def _retrain(ctx: Context, folders: Sequence[Path], _: Sequence[str]) -> list[Outcome]:
    from flows.ingest import ingest_study
    from flows.retrain import retrain
    from flows.run import say_once

    read = [ingest_study(ctx, folder) for folder in folders]
    return say_once([*read, retrain(ctx, folders)])


def _rerun(ctx: Context, folders: Sequence[Path], specimens: Sequence[str]) -> list[Outcome]:
    from flows.ingest import ingest_study
    from flows.predict import predict_study
    from flows.report import report_study
    from flows.run import say_once

    stages = (ingest_study, predict_study, report_study)
    return say_once([work(ctx, folders[0], specimens=specimens) for work in stages])


_KINDS = (
    Kind(
        "run",
        "Process what is new",
        "Reads the sheet and new recordings, predicts with the champion and writes the reports; "
        "a study without a model trains the first one.",
        "study",
        _run,
    ),
    Kind("ingest", "Read recordings", "Finds the cells of new recordings.", "study", _ingest),
    Kind(
        "predict",
        "Predict",
        "Lets the champion predict every specimen it has not predicted yet.",
        "study",
        _predict,
    ),
    Kind("report", "Write reports", "Writes the reports whose content changed.", "study", _report),
    Kind(
        "retrain",
        "Train a candidate",
        "Trains on all studies of the same classes and compares the candidate with the champion; "
        "it replaces the champion only if it is not worse.",
        "models",
        _retrain,
    ),
    Kind(
        "rerun",
        "Run this specimen again",
        "Reads its recording again if it changed or was released, predicts and reports it.",
        "specimen",
        _rerun,
    ),
)
KINDS: dict[str, Kind] = {kind.code: kind for kind in _KINDS}
