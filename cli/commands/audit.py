"""``audit``: read the trail of changes, and see whether it is whole."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from cellcensus.errors import UsageError
from cli.lazy import LazyGroup
from cli.options import Command, common_parameters, wants_json
from cli.outcomes import open_home

if TYPE_CHECKING:
    from db.audit import Head
    from db.tables import AuditEntry

MOST_CHANGES = 12  # shown of one entry on the terminal


@click.command(cls=Command)
@click.option(
    "--expect",
    metavar="NUMBER:HASH",
    help="A head noted earlier: whether the trail still holds that entry, so that a cut-off end "
    "is found too.",
)
def verify(expect: str | None) -> int:
    """Check the whole trail; exit code 1 and the places if anything is not as it was written.

    Prints the newest entry's number and hash. Note them where nobody who can write to the
    database can, and give them to --expect the next time.
    """
    from db.audit import broken_entries, disagreement, head

    noted = _head(expect) if expect else None
    with open_home() as context, context.store.reading() as session:
        places = [{"number": n, "defect": defect} for n, defect in broken_entries(session)]
        found = disagreement(session, noted) if noted else None
        if noted and found:
            places.append({"number": noted.number, "defect": found})
        newest = head(session)
    return _say_verified(newest, places)


@click.command("list", cls=Command)
@click.option("--subject", default="", help="Begins so: specimen:STUDY/ID, model:, account:NAME.")
@click.option("--actor", default="", help="Who did it: an account, os:NAME, or system.")
@click.option("--action", default="", help="Begins so: result, model.promoted, quarantine.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]),
    help="Not before this day or moment (UTC).",
)
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many."
)
def list_(subject: str, actor: str, action: str, since: datetime | None, limit: int) -> int:
    """List changes, newest first."""
    from cli.terminal import print_json, say
    from db.trail import Wanted, as_dict, entries

    moment = None if since is None else since.replace(tzinfo=UTC)
    with open_home() as context, context.store.reading() as session:
        found = entries(session, Wanted(subject, actor, action, moment), limit=limit)
    if wants_json():
        print_json([as_dict(entry) for entry in found])
    else:
        for entry in found:
            say("\n".join(_lines(entry)))
        if not found:
            say("no entries")
    return 0


def _head(text: str) -> Head:
    from db.audit import Head

    match = re.fullmatch(r"(\d+):([0-9a-f]{64})", text.strip().lower())
    if match is None:
        raise UsageError(
            f"{text!r} is not the head of a trail",
            next_step="give it as `cellcensus audit verify` printed it: NUMBER:HASH",
        )
    return Head(int(match[1]), match[2])


def _say_verified(newest: Head, places: list[dict[str, Any]]) -> int:
    from cli.terminal import print_json, say

    code = 1 if places else 0
    if wants_json():
        print_json({"exit_code": code, "head": newest._asdict(), "defects": places})
        return code
    for place in places:
        say(f"entry {place['number']}: {place['defect']}")
    if places:
        say("The trail is broken. Compare it with a backup, and find out who could write to it.")
    else:
        say(f"The trail is whole: {newest.number} entries.")
    say(f"head: {newest.number}:{newest.entry_hash}")
    return code


def _lines(entry: AuditEntry) -> list[str]:
    from db.settings_trail import changes

    when = f"{entry.made_at:%Y-%m-%d %H:%M:%S} UTC"
    lines = [f"{entry.number}  {when}  {entry.actor}  {entry.action}  {entry.subject}"]
    if entry.reason:
        lines.append(f"    why: {entry.reason}")
    changed = changes(entry.before, entry.after)
    for name, (old, new) in list(changed.items())[:MOST_CHANGES]:
        lines.append(f"    {name}: {new}" if old is None else f"    {name}: {old} → {new}")
    if len(changed) > MOST_CHANGES:
        lines.append(f"    and {len(changed) - MOST_CHANGES} more; --json shows all")
    return lines


_HERE = "cli.commands.audit"
audit = LazyGroup(
    "audit",
    table={
        "verify": (f"{_HERE}:verify", "Whether the trail is as it was written."),
        "list": (f"{_HERE}:list_", "Changes, newest first."),
    },
    help="The trail of every change of a result, a model, a setting or an account.",
    params=common_parameters(),
)
