"""``outbox``: what was sent, what waits, and what was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.lazy import LazyGroup
from cli.options import Command, common_parameters, wants_json
from cli.outcomes import open_home

if TYPE_CHECKING:
    from db.outbox import Posted


@click.command("list", cls=Command)
@click.option("--state", type=click.Choice(["waiting", "acknowledged", "refused"]))
def list_(state: str | None) -> int:
    """List the newest 1,000 messages, newest first."""
    from cli.terminal import print_json, print_table
    from db.outbox import messages

    with open_home() as context, context.store.reading() as session:
        rows = [_row(posted) for posted in messages(session, state=state)]
    if wants_json():
        print_json(rows)
    else:
        columns = ("message", "to", "report", "state", "attempts", "next or ended (UTC)", "answer")
        print_table("", columns, [tuple(row.values()) for row in rows])
    return 0


@click.command(cls=Command)
@click.argument("control_id", metavar="CONTROL_ID")
@click.option("--reason", default="", help="Why; kept in the audit trail.")
def retry(control_id: str, reason: str) -> int:
    """Send a refused or waiting message at the next opportunity."""
    from cli.terminal import print_json, say
    from db.outbox import retry as retry_message

    with open_home() as context, context.store.unit_of_work() as session:
        posted = retry_message(session, control_id, reason=reason)
        session.commit()
    if wants_json():
        print_json(_row(posted))
    else:
        say(f"{control_id} is sent to {posted.message.destination} at the next opportunity")
    return 0


def _row(posted: Posted) -> dict[str, Any]:
    message = posted.message
    moment = message.ended_at or message.next_attempt_at
    return {
        "control_id": message.control_id,
        "destination": message.destination,
        "report": f"{posted.study}/{posted.specimen_id} version {posted.version}",
        "state": message.state,
        "attempts": message.attempts,
        "at": f"{moment:%F %T}",
        "answer": message.answer,
    }


_HERE = "cli.commands.outbox"
outbox = LazyGroup(
    "outbox",
    table={
        "list": (f"{_HERE}:list_", "What was sent, what waits, what was refused."),
        "retry": (f"{_HERE}:retry", "Send a refused or waiting message again."),
    },
    help="Reports to other systems: sent, waiting, refused.",
    params=common_parameters(),
)
