"""Options that every command takes, before or after its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from cellcensus.settings import Settings

HOME_KEY = "cellcensus.home"
JSON_KEY = "cellcensus.json"


def common_parameters() -> list[click.Parameter]:
    """``--home`` and ``--json``, as parameters of a command or group."""
    return [
        click.Option(
            ["--home"],
            type=click.Path(file_okay=False, path_type=Path),
            expose_value=False,
            callback=_remember(HOME_KEY),
            metavar="DIR",
            help="Where everything is kept  [CELLCENSUS_HOME, else ./cellcensus-home]",
        ),
        click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            callback=_remember(JSON_KEY),
            help="Print the result as JSON, for machines.",
        ),
    ]


class Command(click.Command):
    """A command that takes the common options after its name too."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.params.extend(common_parameters())


def _remember(key: str) -> Callable[[click.Context, click.Parameter, object], None]:
    def callback(ctx: click.Context, _parameter: click.Parameter, value: object) -> None:
        if value:  # a value given later, after the command's name, wins over an earlier one
            ctx.meta[key] = value

    return callback


def wants_json() -> bool:
    """Whether the current command was asked for JSON."""
    return bool(click.get_current_context().meta.get(JSON_KEY))


def load_settings() -> Settings:
    """The settings of this call: environment, then ``--home``.

    Raises
    ------
    UsageError
        A setting in the environment has a value that cannot be used.
    """
    from pydantic import ValidationError

    from cellcensus.errors import UsageError
    from cellcensus.settings import Settings

    home = click.get_current_context().meta.get(HOME_KEY)
    try:
        return Settings(home=home) if home else Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "CELLCENSUS_" + "__".join(str(part).upper() for part in first["loc"])
        raise UsageError(
            f"the setting {name} cannot be used: {first['msg']}",
            next_step="correct or unset this environment variable",
        ) from error
