"""``run``: the main job, end to end."""

from __future__ import annotations

from pathlib import Path

import click

from cli.options import Command
from cli.outcomes import open_home, tell


@click.command(cls=Command)
@click.argument("study", type=click.Path(path_type=Path))
def run(study: Path) -> int:
    """Ingest, train, predict and report STUDY.

    What is up to date is not done again, so the same command after an interruption goes on where
    it stopped. Specimens that cannot be used are quarantined and the others go on (exit code 3).
    """
    from flows.run import run_study

    with open_home() as context:
        return tell(run_study(context, study))
