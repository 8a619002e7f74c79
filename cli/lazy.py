"""A click group whose commands are imported only when they are used.

``cellcensus --help`` must answer in under half a second, while the libraries behind the commands
take seconds to import; so the list of commands and their one-line descriptions stands in one table.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import click


class LazyGroup(click.Group):
    """A group that knows its commands by name, place and one-line description.

    Parameters
    ----------
    table
        Command name → (``module:attribute``, one-line description), in the order of the help page.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        table: Mapping[str, tuple[str, str]],
        help: str | None = None,  # click's own name for it
        params: list[click.Parameter] | None = None,
        context_settings: dict[str, object] | None = None,
    ) -> None:
        super().__init__(name=name, help=help, params=params, context_settings=context_settings)
        self.table = dict(table)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table, which is the order in which people use them."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        if cmd_name not in self.table:
            return None
        module, attribute = self.table[cmd_name][0].split(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.table.items()])
