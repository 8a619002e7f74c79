"""``send``: released reports to the systems they are for."""

from __future__ import annotations

import signal
from threading import Event
from typing import TYPE_CHECKING

import click

from cli.options import Command, wants_json
from cli.outcomes import open_home

if TYPE_CHECKING:
    from flows.deliver import Delivery


@click.command(cls=Command)
@click.option("--follow", "keep_on", is_flag=True, help="Keep on until stopped.")
def send(keep_on: bool) -> int:
    """Send the released reports that are due now; what fails is tried again later."""
    from cellcensus.errors import UsageError
    from flows.deliver import deliver_due, follow

    with open_home() as context:
        if not context.settings.interfaces.destinations:
            raise UsageError(
                "there is no destination to send to",
                next_step="set CELLCENSUS_INTERFACES__DESTINATIONS (see docs/interfaces.md)",
            )
        if not keep_on:
            return _say(deliver_due(context.store, context.settings))
        stop = Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        follow(context.store, context.settings, stop)
    return 0


def _say(done: Delivery) -> int:
    from cli.terminal import print_json, say

    if wants_json():
        print_json(
            {"sent": done.sent, "refused": done.refused, "postponed": done.postponed},
        )
        return done.exit_code
    say(f"{len(done.sent)} sent, {len(done.refused)} refused, {len(done.postponed)} postponed")
    if done.exit_code:
        say("`cellcensus outbox list` says why; what was postponed is tried again by itself")
    return done.exit_code
