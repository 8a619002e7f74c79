"""Schedules: nightly job, inbox and housekeeping, served on one machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from cellcensus.errors import UsageError
from cellcensus.settings import Settings
from flows.intake import read

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment


def serve_schedule(
    settings: Settings, studies: Sequence[Path], *, cron: str, timezone: str, inbox_cron: str
) -> None:
    """Serve the scheduled jobs until stopped; needs a Prefect server.

    The nightly job of the studies named, the inbox where the settings name one, and housekeeping.
    One run at a time; a run that is late is not stacked.

    Raises
    ------
    StudyError
        One of the studies cannot be used.
    UsageError
        No server is named, there is nothing to do, or a cron line or the time zone is none.
    """
    for line in (cron, inbox_cron):
        check_schedule(line, timezone)
    if not os.environ.get("PREFECT_API_URL"):
        raise UsageError(
            "no Prefect server is named",
            next_step="start one with `prefect server start`, then set PREFECT_API_URL to "
            "http://127.0.0.1:4200/api; or run `cellcensus run STUDY` from cron, without a server",
        )
    _check_work(settings, studies)
    if settings.database_url:  # the runs are processes of their own and read the environment
        os.environ["CELLCENSUS_DATABASE_URL"] = settings.database_url
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    from prefect import serve

    serve(*_deployments(settings, studies, (cron, inbox_cron, timezone)), limit=1)


def _check_work(settings: Settings, studies: Sequence[Path]) -> None:
    inbox = settings.inbox.folder
    if not studies and inbox is None:
        raise UsageError(
            "there is nothing to do on a schedule",
            next_step="name studies, or set CELLCENSUS_INBOX__FOLDER to a folder of study folders",
        )
    if inbox is not None and not inbox.is_dir():
        raise UsageError("the inbox is no folder", file=inbox, next_step="make it, or name another")
    for study in studies:
        read(Path(study))  # a mistyped folder would fail every night instead


def _deployments(
    settings: Settings, studies: Sequence[Path], when: tuple[str, str, str]
) -> list[RunnerDeployment]:
    from flows import prefect_flows

    cron, inbox_cron, timezone = when
    home = {"home": str(settings.home.resolve())}
    wanted: list[tuple[Any, str, dict[str, Any]]] = [
        (prefect_flows.housekeeping, "30 4 * * *", home)
    ]
    if studies:
        folders = [str(Path(study).resolve()) for study in studies]
        wanted.append((prefect_flows.nightly, cron, {"studies": folders, **home}))
    if settings.inbox.folder is not None:
        folder = str(settings.inbox.folder.resolve())
        wanted.append((prefect_flows.inbox, inbox_cron, {"folder": folder, **home}))
    return [_deployment(flow, line, timezone, parameters) for flow, line, parameters in wanted]


def _deployment(
    flow: Any, cron: str, timezone: str, parameters: dict[str, Any]
) -> RunnerDeployment:
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.deployments.runner import EntrypointType
    from prefect.schedules import Cron

    deployment = flow.to_deployment(
        name=flow.name,
        # Found again wherever the command is called from.
        entrypoint_type=EntrypointType.MODULE_PATH,
        schedule=Cron(cron, timezone=timezone),
        parameters=parameters,
        concurrency_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
        ),
    )
    return cast("RunnerDeployment", deployment)


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
