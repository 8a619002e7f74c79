"""``work``: do what was asked for from the pages."""

from __future__ import annotations

import click

from cli.options import Command, load_settings, wants_json


@click.command(cls=Command)
@click.option("--once", is_flag=True, help="End when nothing waits.")
def work(once: bool) -> int:
    """Do the work that waits in the queue, one job after another, until stopped.

    `cellcensus serve` starts such a worker by itself; more may be started on any machine that
    reaches the database, the home folder and the study folders.
    """
    from cli.terminal import messages, print_json, say
    from flows.worker import Worker, answer_signals

    worker = Worker(load_settings(), tell=lambda line: say(line, console=messages))
    answer_signals(worker)
    failed = worker.work(once=once)
    if wants_json():
        print_json({"failed": failed})
    return 1 if failed and once else 0
