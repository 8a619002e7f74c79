"""Compositions → reports: one a specimen, one the study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cellcensus import __version__
from cellcensus.progress import Progress
from cellcensus.recipe import Recipe
from cellcensus.settings import Settings
from db.findings import open_findings, quarantined
from db.leases import settle, specimen_subject
from db.reports import add_report, current_report
from flows.contents import Subject, recipes_of, specimen_content
from flows.context import Context, Outcome, reported
from flows.identity import known_of
from flows.intake import Intake, take_in
from flows.paths import report_folder, specimen_report_name
from flows.sharing import alone, shared
from flows.stage import say_quarantined, stage
from flows.study_content import study_content
from flows.subjects import gather
from flows.written import Written, is_whole, write_signed, write_specimen, write_study

GENERATION = 3


@dataclass(frozen=True)
class ReportJob:
    """One specimen's report to write."""

    subject: Subject
    home: Path
    settings: Settings
    out: Path
    recipe: Recipe


def report_one(job: ReportJob) -> Written:
    """Render and publish one specimen's report.

    Where a signed report was released, the page is that report, word for word.

    Raises
    ------
    StoreError
        The file of the released report is missing or was altered.
    """
    if job.subject.released is not None:
        return write_signed(job.subject.released, job.out, job.settings)
    content = specimen_content(job.subject, job.home, job.settings)
    return write_specimen(content, job.out, job.settings.reports)


def report_study(ctx: Context, folder: Path, *, specimens: Sequence[str] = ()) -> Outcome:
    """Write the reports whose content is new or changed.

    Raises
    ------
    StudyError
        The study cannot be used.
    """
    taken = take_in(ctx, folder, specimens)
    name = taken.study.name
    settings = ctx.settings.reports.model_dump(mode="json")
    with stage(ctx, "report", study=name, study_key=taken.key, settings=settings) as (outcome, run):
        with ctx.store.reading() as session:
            _, subjects = gather(session, name)
        wanted = [s for s in subjects if s.cell_file is not None and _asked(s, specimens)]
        made = [_job(ctx, subject) for subject in wanted]
        jobs = {_subject(taken, job): job for job in made if not _is_done(ctx, taken, job)}
        outcome.skipped = len(wanted) - len(jobs)
        with reported(ctx, "writing reports", len(jobs)) as progress:
            prepare = partial(_unless_done, ctx, taken, outcome=outcome, progress=progress)
            for job, result in shared(ctx, run, report_one, jobs, prepare, label="report"):
                _write_down(ctx, taken, job, result, outcome=outcome, run=run)
                progress.advance()
        with alone(ctx, run, f"study:{taken.key}"):
            outcome.report = _report_study(ctx, taken, subjects, run)
        say_quarantined(ctx, taken, specimens, outcome)
    return outcome


def _subject(taken: Intake, job: ReportJob) -> str:
    return specimen_subject(taken.keys[job.subject.specimen.specimen_id])


def _unless_done(
    ctx: Context, taken: Intake, job: ReportJob, *, outcome: Outcome, progress: Progress
) -> ReportJob | None:
    """The job, unless another machine has done it meanwhile."""
    if not _is_done(ctx, taken, job):
        return job
    outcome.skipped += 1
    progress.advance()
    return None


def _asked(subject: Subject, specimens: Sequence[str]) -> bool:
    return not specimens or subject.specimen.specimen_id in specimens


def _job(ctx: Context, subject: Subject) -> ReportJob:
    settings = ctx.settings.reports.model_dump(mode="json")
    inputs = {
        "recipes": recipes_of(subject),
        "specimen": _sheet(subject),
        "findings": [found.as_dict() for found in subject.findings],
        "software": __version__,
    }
    if subject.released is not None:
        # It says what was signed, whatever was computed or set since.
        settings = {"pdf": ctx.settings.reports.pdf}
        inputs = {"signed": subject.released.file_sha256}
    recipe = Recipe("report", GENERATION, inputs=inputs, settings=settings)
    out = report_folder(ctx.home, subject.study.name) / specimen_report_name(
        subject.specimen.specimen_id
    )
    return ReportJob(subject, ctx.home, ctx.settings, out, recipe)


def _sheet(subject: Subject) -> dict[str, Any]:
    specimen = subject.specimen
    return {
        **known_of(specimen),
        "donor_id": specimen.donor_id,
        "acquired_at": specimen.acquired_at.isoformat() if specimen.acquired_at else None,
        "instrument_id": specimen.instrument_id,
        "recording": specimen.recording,
        "imaged_volume_ul": specimen.imaged_volume_ul,
        "dilution": specimen.dilution,
        "classes": list(subject.study.classes),
    }


def _is_done(ctx: Context, taken: Intake, job: ReportJob) -> bool:
    return _stands(ctx, taken, taken.keys[job.subject.specimen.specimen_id], job.recipe)


def _stands(ctx: Context, taken: Intake, specimen_key: int | None, recipe: Recipe) -> bool:
    with ctx.store.reading() as session:
        row = current_report(session, taken.key, specimen_key)
    return row is not None and row.recipe_id == recipe.id and is_whole(ctx.home, row)


def _write_down(
    ctx: Context,
    taken: Intake,
    job: ReportJob,
    result: Written | Exception,
    *,
    outcome: Outcome,
    run: int,
) -> None:
    name = job.subject.specimen.specimen_id
    if isinstance(result, Exception):
        outcome.failed.append((name, f"report of specimen {name}: {result}"))
        return
    _add(ctx, taken, (taken.keys[name], job.recipe, job.out, result), run, _subject(taken, job))
    outcome.done += 1


def _add(
    ctx: Context,
    taken: Intake,
    made: tuple[int | None, Recipe, Path, Written],
    run: int,
    subject: str,
) -> None:
    specimen_key, recipe, out, written = made
    with ctx.store.unit_of_work() as session:
        settle(session, run, subject)
        add_report(
            session,
            {
                "study_key": taken.key,
                "specimen_key": specimen_key,
                "run_key": run,
                "recipe_id": recipe.id,
                "recipe": {**recipe.as_dict(), "pdf_sha256": written.pdf},
                "path": ctx.relative(out),
                "sha256": written.html,
            },
        )
        session.commit()


def _report_study(ctx: Context, taken: Intake, subjects: Sequence[Subject], run: int) -> Path:
    with ctx.store.reading() as session:
        aside = quarantined(session, taken.key)
        findings = open_findings(session, taken.key)
    out = report_folder(ctx.home, taken.study.name) / "index.html"
    recipe = Recipe(
        "study-report",
        GENERATION,
        inputs={
            "specimens": {s.specimen.specimen_id: _job(ctx, s).recipe.id for s in subjects},
            "quarantined": [(q.specimen_id, q.code, q.reason) for q in aside],
            "findings": [found.as_dict() for found in findings],
            "software": __version__,
        },
        settings=ctx.settings.reports.model_dump(mode="json"),
    )
    if _stands(ctx, taken, None, recipe):
        return out
    content = study_content(
        subjects[0].study if subjects else taken.study,
        subjects,
        aside,
        findings=findings,
        settings=ctx.settings,
        reported=_pages(out.parent, subjects),
    )
    written = write_study(content, out, ctx.settings.reports)
    _add(ctx, taken, (None, recipe, out, written), run, f"study:{taken.key}")
    return out


def _pages(folder: Path, subjects: Sequence[Subject]) -> frozenset[str]:
    names: Mapping[str, str] = {
        s.specimen.specimen_id: specimen_report_name(s.specimen.specimen_id) for s in subjects
    }
    return frozenset(name for name, file in names.items() if (folder / file).is_file())
