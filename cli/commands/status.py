"""``status``: what is stored, quarantined and running."""

from __future__ import annotations

import click

from cli.options import Command, wants_json
from cli.outcomes import open_home


@click.command(cls=Command)
def status() -> int:
    """Show what is stored, quarantined and running, and the disk that is left."""
    from cli.terminal import print_json, print_table
    from flows.status import status as read_status

    with open_home() as context:
        found = read_status(context)
    if wants_json():
        print_json(found)
    else:
        print_table(
            "", ("what", "value"), [(name, _in_words(value)) for name, value in found.items()]
        )
    return 0


def _in_words(value: object) -> str:
    if isinstance(value, list | tuple):
        return "\n".join(map(str, value)) or "none"
    return "never" if value is None else str(value)
