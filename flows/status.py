"""What is stored, quarantined and running."""

from __future__ import annotations

import shutil
from typing import Any

from sqlalchemy.engine import make_url

from db import outbox, registry
from db.findings import quarantined
from db.runs import latest_runs
from db.status import count_rows
from db.studies import find_study, study_names
from flows.context import Context


def status(ctx: Context) -> dict[str, Any]:
    """The state of a home in plain values."""
    with ctx.store.reading() as session:
        runs = latest_runs(session)
        aside = [
            f"{name}/{found.specimen_id}: {found.reason}"
            for name in study_names(session)
            for found in quarantined(session, find_study(session, name).key)
        ]
        return {
            "home": str(ctx.home),
            "database": make_url(ctx.store.address).render_as_string(hide_password=True),
            "studies": study_names(session),
            **count_rows(session),
            "quarantined": aside,
            "champions": [model.model_id for model in registry.champions(session)],
            "running": [f"{run.stage} since {run.started_at:%F %T}Z" for run in runs if _runs(run)],
            "last_run": next((_line(run) for run in runs if not _runs(run)), None),
            "last_success": next((_line(run) for run in runs if run.state == "done"), None),
            "reports_to_send": outbox.counts(session)["waiting"],
            "reports_refused": outbox.counts(session)["refused"],
            "disk_free_gb": round(shutil.disk_usage(ctx.home).free / 1e9, 1),
        }


def _runs(run: Any) -> bool:
    return bool(run.state == "running")


def _line(run: Any) -> str:
    when = run.finished_at or run.started_at
    return f"{run.stage} {run.state} at {when:%F %T}Z"
