"""``schedule``: serve the scheduled flows."""

from __future__ import annotations

from pathlib import Path

import click

from cli.options import Command, load_settings


@click.command(cls=Command)
@click.argument(
    "studies",
    type=click.Path(path_type=Path),
    nargs=-1,
    metavar="[STUDY]...",
)
@click.option("--cron", default="0 2 * * *", show_default=True, help="When, as a cron line.")
@click.option(
    "--inbox-cron", default="*/10 * * * *", show_default=True, help="When the inbox is looked into."
)
@click.option("--timezone", default="UTC", show_default=True, help="Time zone of the cron lines.")
def schedule(studies: tuple[Path, ...], cron: str, inbox_cron: str, timezone: str) -> int:
    """Run the studies' new specimens, and those of the inbox, on a schedule, until stopped.

    The inbox is the folder that CELLCENSUS_INBOX__FOLDER names. One run at a time; a run that is
    late is not stacked. Needs a Prefect server (PREFECT_API_URL).
    """
    from flows.deployments import serve_schedule

    serve_schedule(
        load_settings(), list(studies), cron=cron, inbox_cron=inbox_cron, timezone=timezone
    )
    return 0
