"""``doctor``: whether the installation does its work."""

from __future__ import annotations

from dataclasses import asdict

import click

from cli.options import Command, load_settings, wants_json


@click.command(cls=Command)
def doctor() -> int:
    """Check the installation and say what to do about what is wrong; changes nothing.

    Exit code 1 if something is so wrong that work cannot be done.
    """
    from cli.terminal import print_json, say
    from flows.doctor import Verdict, examine

    checks = examine(load_settings())
    failed = any(check.verdict is Verdict.FAILED for check in checks)
    if wants_json():
        print_json({"ok": not failed, "checks": [asdict(check) for check in checks]})
        return 1 if failed else 0
    style = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILED: "bold red"}
    for check in checks:
        say(f"{check.verdict.value:<8} {check.name}: {check.found}", style=style[check.verdict])
        if check.next_step:
            say(f"         → {check.next_step}")
    say("\nSomething is wrong: see above." if failed else "\nThe installation can do its work.")
    return 1 if failed else 0
