"""``check``: findings only."""

from __future__ import annotations

from pathlib import Path

import click

from cli.options import Command, wants_json


@click.command(cls=Command)
@click.argument("study", type=click.Path(path_type=Path))
def check(study: Path) -> int:
    """List what is wrong with STUDY and what to do about it; changes nothing.

    Exit code 2 if the study cannot be used, 0 otherwise.
    """
    from cellcensus.findings import Level
    from cellcensus.studyfolder import read_study
    from cli.terminal import print_findings, print_json, say

    read, findings = read_study(study)
    if wants_json():
        print_json(
            {
                "study": read.name if read else None,
                "usable": read is not None,
                "specimens": len(read.specimens) if read else 0,
                "findings": [found.as_dict() for found in findings],
            }
        )
        return 0 if read else 2
    print_findings(findings)
    counts = ", ".join(
        f"{sum(found.level is level for found in findings)} {level.value}" for level in Level
    )
    verdict = f"{len(read.specimens)} specimens can be used" if read else "the study cannot be used"
    say(f"{read.name if read else study}: {verdict} ({counts})")
    return 0 if read else 2
