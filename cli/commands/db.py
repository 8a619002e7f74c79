"""``db``: housekeeping of the database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from cli.lazy import LazyGroup
from cli.options import Command, common_parameters, load_settings, wants_json


@click.command(cls=Command)
def upgrade() -> int:
    """Bring the database to the newest schema; does nothing if it is."""
    from db.schema import upgrade as upgrade_schema

    return _say({"revision": upgrade_schema(load_settings().database_address())})


@click.command(cls=Command)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> int:
    """Copy the database to FILE, also while others use it."""
    from db.schema import backup as back_up

    back_up(load_settings().database_address(), file)
    return _say({"backup": str(file)})


@click.command(cls=Command)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def restore(file: Path) -> int:
    """Put a copy made by `db backup` into a new, empty database; all of it or nothing."""
    from db.schema import restore as put_back

    return _say({"rows": put_back(file, load_settings().database_address())})


def _say(result: Mapping[str, str | int]) -> int:
    from cli.terminal import print_json, say

    if wants_json():
        print_json(result)
    else:
        for name, value in result.items():
            say(f"{name}: {value}")
    return 0


_HERE = "cli.commands.db"
db = LazyGroup(
    "db",
    table={
        "upgrade": (f"{_HERE}:upgrade", "Bring the database to the newest schema."),
        "backup": (f"{_HERE}:backup", "Copy the database to a file, also while it is used."),
        "restore": (f"{_HERE}:restore", "Put such a copy into a new, empty database."),
    },
    help="Upgrade, back up or restore the database.",
    params=common_parameters(),
)
