"""How the outcome of stages is told, and which exit code it means."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cli.options import load_settings, wants_json

if TYPE_CHECKING:
    from flows.context import Context, Outcome
    from flows.together import Others


def open_home(others: Others | None = None, **reports: object) -> Context:
    """Open the home folder and database of this call, with progress on the terminal.

    ``others`` are the processes that train with this one. ``reports`` are settings of the reports
    that an option of this call replaces; ``None``: it was not given.
    """
    from cli.terminal import TerminalProgress
    from flows.context import open_context

    settings = load_settings()
    given = {name: value for name, value in reports.items() if value is not None}
    if given:
        changed = settings.reports.model_copy(update=given)
        settings = settings.model_copy(update={"reports": changed})
    context = open_context(settings, progress=TerminalProgress(), actor=os_actor())
    context.others = others
    return context


def os_actor() -> str:
    """Who gives this command, as the audit trail names people at a terminal: ``os:NAME``."""
    return f"os:{_os_name()}"


def _os_name() -> str:
    # By the process's own number: names in the environment are whatever somebody set them to.
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except ImportError:  # not a Unix
        import getpass

        return getpass.getuser()
    except KeyError:  # a number without a name, as in some containers
        return str(os.getuid())


def tell(outcomes: Sequence[Outcome]) -> int:
    """Print what was done and return the exit code: the gravest of the stages'."""
    from cli.terminal import print_json, say

    code = worst_exit_code(outcomes)
    if wants_json():
        print_json({"exit_code": code, "stages": [outcome.as_dict() for outcome in outcomes]})
        return code
    for outcome in outcomes:
        say(outcome.summary())
        for specimen_id, reason in outcome.quarantined:
            say(f"  quarantined {specimen_id}: {reason}")
            if next_step := outcome.next_steps.get(specimen_id):
                say(f"    → {next_step}")
        for note in outcome.notes:
            say(f"  {note}")
    reports = [outcome.report for outcome in outcomes if outcome.report]
    if reports:
        say(f"\nReport to open: {reports[-1]}")
    return code


def worst_exit_code(outcomes: Sequence[Outcome]) -> int:
    """1 if a stage failed, else 3 if specimens were quarantined, else 0."""
    codes = {outcome.exit_code for outcome in outcomes}
    return next((code for code in (1, 2, 3) if code in codes), 0)
