"""``retrain``: a candidate, a gate, a decision."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import Command, load_settings
from cli.outcomes import open_home, tell

if TYPE_CHECKING:
    from flows.together import Others


@click.command(cls=Command)
@click.argument(
    "studies",
    type=click.Path(path_type=Path),
    nargs=-1,
    required=True,
    metavar="STUDY...",
)
def retrain(studies: tuple[Path, ...]) -> int:
    """Train a candidate on the studies given and compare it with the champion.

    It is promoted only if no class is predicted worse on held-out donors; otherwise it is refused,
    with the reasons, and kept for the record.
    """
    from flows.retrain import retrain as retrain_model
    from flows.together import with_others

    def first(others: Others | None) -> int:
        with open_home(others) as context:
            return tell([retrain_model(context, list(studies))])

    return with_others(load_settings(), first)
