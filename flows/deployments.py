"""Schedules: the nightly job, served on one machine or deployed to a work pool."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

from cellcensus.errors import UsageError
from cellcensus.settings import Settings
from flows.intake import read

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment


def serve_schedule(
    settings: Settings, studies: Sequence[Path], *, cron: str, timezone: str
) -> None:
    """Serve the nightly job of some studies until stopped; needs a Prefect server.

    One run at a time; a run that is late is not stacked.

    Raises
    ------
    StudyError
        One of the studies cannot be used.
    UsageError
        No server is named, or the cron line or the time zone is none.
    """
    check_schedule(cron, timezone)
    if not os.environ.get("PREFECT_API_URL"):
        raise UsageError(
            "no Prefect server is named",
            next_step="start one with `prefect server start`, then set PREFECT_API_URL to "
            "http://127.0.0.1:4200/api; or run `cellcensus run STUDY` from cron, without a server",
        )
    for study in studies:
        read(Path(study))  # a mistyped folder would fail every night instead
    if settings.database_url:  # the runs are processes of their own and read the environment
        os.environ["CELLCENSUS_DATABASE_URL"] = settings.database_url
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    from prefect import serve
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.deployments.runner import EntrypointType
    from prefect.schedules import Cron

    from flows.prefect_flows import nightly

    deployment = nightly.to_deployment(
        name="nightly",
        # Found again wherever the command is called from.
        entrypoint_type=EntrypointType.MODULE_PATH,
        schedule=Cron(cron, timezone=timezone),
        parameters={
            "studies": [str(Path(study).resolve()) for study in studies],
            "home": str(settings.home.resolve()),
        },
        concurrency_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
        ),
    )
    serve(cast("RunnerDeployment", deployment), limit=1)


def check_schedule(cron: str, timezone: str) -> None:
    """Refuse a schedule that cannot be kept.

    Raises
    ------
    UsageError
        The cron line or the time zone is none.
    """
    if len(cron.split()) != 5:
        raise UsageError(
            f"{cron!r} is no cron line",
            next_step="five fields: minute hour day month weekday, for example '0 2 * * *'",
        )
    try:
        ZoneInfo(timezone)
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"{timezone!r} is no time zone", next_step="a name such as UTC or Europe/Berlin"
        ) from error
