"""What is stored, quarantined and running."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from db import jobs, outbox, registry
from db.findings import quarantined, standing
from db.runs import latest_runs
from db.status import count_rows
from db.studies import find_study, study_names
from flows.context import Context

DRIFT = "drift"


def status(ctx: Context) -> dict[str, Any]:
    """The state of a home in plain values."""
    with ctx.store.reading() as session:
        return status_in(session, ctx.home, ctx.store.address)


def status_in(session: Session, home: Path, address: str) -> dict[str, Any]:
    """The same, for whoever has a session open already."""
    runs, posted, asked = latest_runs(session), outbox.counts(session), jobs.counts(session)
    aside = [
        f"{name}/{found.specimen_id}: {found.reason}"
        for name in study_names(session)
        for found in quarantined(session, find_study(session, name).key)
    ]
    return {
        "home": str(home),
        "database": make_url(address).render_as_string(hide_password=True),
        "studies": study_names(session),
        **count_rows(session),
        "quarantined": aside,
        "champions": [model.model_id for model in registry.champions(session)],
        "running": [f"{run.stage} since {run.started_at:%F %T}Z" for run in runs if _runs(run)],
        "jobs_waiting": asked.get("waiting", 0),
        "jobs_running": [_job_line(told) for told in jobs.standing(session) if _works(told)],
        "jobs_failed": asked.get("failed", 0),
        "last_run": next((_line(run) for run in runs if not _runs(run)), None),
        "last_success": next((_line(run) for run in runs if run.state == "done"), None),
        "last_backup": newest_copy(home),
        "drift": [found.message for found in standing(session, DRIFT)],
        "reports_to_send": posted["waiting"],
        "reports_refused": posted["refused"],
        "disk_free_gb": round(shutil.disk_usage(home).free / 1e9, 1),
    }


def newest_copy(home: Path) -> str | None:
    """Name of the newest copy of the database that housekeeping made."""
    return max((file.name for file in home.glob("backups/cellcensus-*.sqlite")), default=None)


def _runs(run: Any) -> bool:
    return bool(run.state == "running")


def _line(run: Any) -> str:
    when = run.finished_at or run.started_at
    return f"{run.stage} {run.state} at {when:%F %T}Z"


def _works(told: jobs.Told) -> bool:
    return told.job.state == "running"


def _job_line(told: jobs.Told) -> str:
    job = told.job
    return f"job {job.key}, {job.kind} of {job.subject}: {job.label}, {100 * job.progress:.0f} %"
