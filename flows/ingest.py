"""Recordings → cells."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellcensus.errors import RecordingError, StoreError
from cellcensus.findings import Finding, Level
from cellcensus.logs import event
from cellcensus.progress import Progress
from cellcensus.recipe import Recipe
from cellcensus.settings import IngestSettings
from cellcensus.study import Acquisition, CellHints, Role, Specimen
from db import cells
from db.findings import quarantine_of, reconcile
from db.leases import settle, specimen_subject, write_sheet_alone
from db.predictions import set_aside as set_predictions_aside
from flows.context import Context, Outcome, reported
from flows.identity import find_recording, ingest_recipe
from flows.intake import Intake, take_in
from flows.keptcells import KeptCells, kept_cells, stored_cells
from flows.paths import cells_path, study_cells_path
from flows.plain import plain
from flows.retention import SOURCE as RETENTION
from flows.sharing import shared
from flows.stage import say_quarantined, stage
from flows.storage import Stored, stored_of

if TYPE_CHECKING:
    from pipeline.ingest import IngestSummary

SOURCE = "ingest"
NO_FAULT_OF_A_RECORDING = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@dataclass(frozen=True)
class IngestJob:
    """One recording to find the cells of."""

    specimen_id: str
    recording: str
    folder: Path
    acquisition: Acquisition
    hints: CellHints
    settings: IngestSettings
    cells: KeptCells
    expects_cells: bool
    recipe: Recipe
    recording_key: int
    stored: Stored | None = None


@dataclass(frozen=True)
class IngestResult:
    """What came of it; the cells lie in the job's folder."""

    n_cells: int
    quality: dict[str, Any]
    findings: tuple[Finding, ...]


def ingest_one(job: IngestJob) -> IngestResult:
    """Find the cells of one recording and publish them.

    Raises
    ------
    RecordingError
        The recording is unusable.
    """
    with _at_hand(job) as (recording, folder):
        summary = _ingest(job, recording, folder)
    job.cells.put_away()
    figures = asdict(summary.quality)
    figures.pop("findings", None)
    return IngestResult(int(summary.n_cells), plain(figures), tuple(summary.findings))


@contextmanager
def _at_hand(job: IngestJob) -> Iterator[tuple[str, Path]]:
    """The recording as a path and the folder it is relative to, fetched if it must be."""
    if job.stored is None:
        yield job.recording, job.folder
        return
    from flows.storage import fetched

    try:
        with fetched(job.stored) as place:
            yield place
    except RecordingError as error:
        # Where a copy of it lies is nothing for a person.
        error.specimen_id, error.file = job.specimen_id, job.recording
        raise


def _ingest(job: IngestJob, recording: str, folder: Path) -> IngestSummary:
    from pipeline.ingest import ingest

    return ingest(
        recording,
        folder=folder,
        acquisition=job.acquisition,
        hints=job.hints,
        settings=job.settings,
        out=job.cells.local,
        specimen_id=job.specimen_id,
        expects_cells=job.expects_cells,
    )


def ingest_study(ctx: Context, folder: Path, *, specimens: Sequence[str] = ()) -> Outcome:
    """Find and store the cells of every recording that is new or changed.

    Raises
    ------
    StudyError
        The study cannot be used.
    """
    taken = take_in(ctx, folder, specimens)
    settings = ctx.settings.ingest.model_dump(mode="json")
    with stage(ctx, "ingest", study=taken.study.name, study_key=taken.key, settings=settings) as (
        outcome,
        run,
    ):
        again = bool(specimens)
        candidates = _candidates(ctx, taken, outcome, by_name=again)
        with reported(ctx, "finding cells", len(candidates)) as progress:
            for job, result in shared(
                ctx,
                run,
                ingest_one,
                candidates,
                partial(
                    _what_is_to_do,
                    ctx,
                    taken,
                    outcome=outcome,
                    run=run,
                    progress=progress,
                    by_name=again,
                ),
                label="ingest",
                processes=ctx.settings.processes or _cores(),
            ):
                _write_down(ctx, taken, job, result, outcome=outcome, run=run)
                progress.advance()
        say_quarantined(ctx, taken, specimens, outcome)
    return outcome


def _candidates(
    ctx: Context, taken: Intake, outcome: Outcome, *, by_name: bool
) -> dict[str, Specimen]:
    """Specimens whose cells do not stand, by the subject of their lease; reads no recording."""
    found = {}
    listed = stored_cells(ctx.settings, study_cells_path(taken.study.name))
    with reported(ctx, "looking at recordings", len(taken.usable)) as progress:
        for specimen in taken.usable:
            if _stands(ctx, taken, specimen, listed, by_name=by_name):
                outcome.skipped += 1
            else:
                found[specimen_subject(taken.keys[specimen.specimen_id])] = specimen
            progress.advance()
    return found


def _stands(
    ctx: Context, taken: Intake, specimen: Specimen, listed: Collection[str], *, by_name: bool
) -> bool:
    path, key = specimen.recording, taken.keys[specimen.specimen_id]
    try:
        stamp = find_recording(taken.study.folder, path, ctx.settings).stamp
    except RecordingError:
        return False
    with ctx.store.reading() as session:
        known = cells.recording_with_stamp(session, taken.key, path, stamp)
        if known is None:
            return False
        recipe = ingest_recipe(taken.study, specimen, known.sha256, ctx.settings)
        row = cells.find_cell_file(session, key, recipe.id)
    if row is None or not row.current:
        return False
    kept = kept_cells(ctx.settings, row.path)
    return kept.are_there(listed) and not (by_name and kept.pictures_are_gone())


def _what_is_to_do(
    ctx: Context,
    taken: Intake,
    specimen: Specimen,
    *,
    outcome: Outcome,
    run: int,
    progress: Progress,
    by_name: bool,
) -> IngestJob | None:
    """The job of a specimen that is leased; ``None`` if it is done, or was tried in vain."""
    try:
        job = _job(ctx, taken, specimen)
    except RecordingError as error:
        _quarantine(ctx, taken, specimen.specimen_id, error, run=run)
    else:
        # Pictures that were deleted after their time are made again for who asks by name.
        if not (by_name and job.cells.pictures_are_gone()) and _is_done(ctx, taken, job):
            outcome.skipped += 1
        elif not _was_tried(ctx, taken, job):
            return job
    progress.advance()
    return None


def _job(ctx: Context, taken: Intake, specimen: Specimen) -> IngestJob:
    study = taken.study
    recording = _identify(ctx, taken, specimen)
    recipe = ingest_recipe(study, specimen, recording.sha256, ctx.settings)
    return IngestJob(
        specimen_id=specimen.specimen_id,
        recording=specimen.recording,
        folder=study.folder,
        acquisition=study.acquisition,
        hints=study.cells,
        settings=ctx.settings.ingest,
        cells=kept_cells(ctx.settings, cells_path(study.name, specimen.specimen_id, recipe.id)),
        expects_cells=specimen.role is not Role.BLANK,
        recipe=recipe,
        recording_key=recording.key,
        stored=stored_of(specimen.recording, recording.stamp, recording.sha256, ctx.settings),
    )


def _identify(ctx: Context, taken: Intake, specimen: Specimen) -> Any:
    path = specimen.recording
    found = find_recording(taken.study.folder, path, ctx.settings)
    with ctx.store.reading() as session:
        known = cells.recording_with_stamp(session, taken.key, path, found.stamp)
    if known is not None:
        return known
    sha256 = found.sha256()  # outside the transaction: reading a film takes seconds
    with ctx.store.unit_of_work() as session:
        write_sheet_alone(session)  # two specimens may name one recording
        recording = cells.record_recording(
            session, taken.key, path, sha256=sha256, size=found.size, stamp=found.stamp
        )
        session.commit()
    return recording


def _is_done(ctx: Context, taken: Intake, job: IngestJob) -> bool:
    key = taken.keys[job.specimen_id]
    with ctx.store.reading() as session:
        row = cells.find_cell_file(session, key, job.recipe.id)
    if row is None or not kept_cells(ctx.settings, row.path).are_there():
        return False
    if not row.current:  # the recording or the settings were changed back
        with ctx.store.unit_of_work() as session:
            row = cells.find_cell_file(session, key, job.recipe.id)
            assert row is not None
            cells.make_current(session, row)
            _clear(session, taken, key)
            session.commit()
    return True


def _was_tried(ctx: Context, taken: Intake, job: IngestJob) -> bool:
    with ctx.store.reading() as session:
        aside = quarantine_of(session, taken.keys[job.specimen_id])
    return aside is not None and aside.recipe_id == job.recipe.id


def _write_down(
    ctx: Context,
    taken: Intake,
    job: IngestJob,
    result: IngestResult | Exception,
    *,
    outcome: Outcome,
    run: int,
) -> None:
    of_a_disk = isinstance(result, OSError) and result.errno in NO_FAULT_OF_A_RECORDING
    if isinstance(result, Exception) and (of_a_disk or isinstance(result, StoreError)):
        raise result  # every other specimen would be set aside for it too
    if isinstance(result, Exception):
        _quarantine(ctx, taken, job.specimen_id, result, run=run, job=job)
        return
    key = taken.keys[job.specimen_id]
    with ctx.store.unit_of_work() as session:
        settle(session, run, specimen_subject(key))
        row = cells.find_cell_file(session, key, job.recipe.id)
        if row is None:
            cells.add_cell_file(
                session,
                specimen_key=key,
                recording_key=job.recording_key,
                run_key=run,
                recipe=job.recipe.as_dict(),
                recipe_id=job.recipe.id,
                path=job.cells.path,
                n_cells=result.n_cells,
                quality=result.quality,
            )
        else:  # the row was there, the files were not
            cells.make_current(session, row)
        reconcile(
            session,
            result.findings,
            study_key=taken.key,
            specimen_key=key,
            source=SOURCE,
            recipe_id=job.recipe.id,
            recording_key=job.recording_key,
            run_key=run,
        )
        reconcile(session, [], study_key=taken.key, specimen_key=key, source=RETENTION)
        session.commit()
    outcome.done += 1


def _clear(session: Any, taken: Intake, specimen_key: int) -> None:
    reconcile(session, [], study_key=taken.key, specimen_key=specimen_key, source=SOURCE)


def _quarantine(
    ctx: Context,
    taken: Intake,
    specimen_id: str,
    error: Exception,
    *,
    run: int,
    job: IngestJob | None = None,
) -> None:
    found, final = _in_words(error, specimen_id)
    ids = {"study": taken.study.name, "specimen": specimen_id, "code": found.code, "run": run}
    event("recording.quarantined", ids, level=logging.WARNING)
    key = taken.keys[specimen_id]
    with ctx.store.unit_of_work() as session:
        settle(session, run, specimen_subject(key))
        reconcile(
            session,
            [found],
            study_key=taken.key,
            specimen_key=key,
            source=SOURCE,
            quarantines=True,
            # The same recording fails the same way again; a hiccup may not.
            recipe_id=job.recipe.id if job and final else None,
            recording_key=job.recording_key if job else None,
            run_key=run,
        )
        cells.set_aside(session, key)
        set_predictions_aside(session, key)
        session.commit()


def _in_words(error: Exception, specimen_id: str) -> tuple[Finding, bool]:
    if isinstance(error, RecordingError):
        action = error.next_step or "film the specimen again, or correct the sheet"
        return Finding(Level.VIOLATION, error.code, error.message, action, specimen_id), True
    return (
        Finding(
            Level.VIOLATION,
            "could_not_be_processed",
            f"the recording could not be processed ({type(error).__name__}: {error})",
            "repeat the command; if it fails again, report it with the recording",
            specimen_id,
        ),
        False,
    )


def _cores() -> int:
    return len(os.sched_getaffinity(0))
