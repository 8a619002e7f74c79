"""Entry point: the table of commands, and what happens when one goes wrong.

Exit codes: 0 done, 1 failed, 2 wrong use or unusable study, 3 done but specimens were quarantined.
"""

from __future__ import annotations

import os
import sys

import click

from cellcensus import __version__
from cellcensus.errors import CellcensusError, store_error_of
from cli.lazy import LazyGroup
from cli.options import common_parameters

COMMANDS = {
    "demo": (
        "cli.commands.demo:demo",
        "Make a small study and run it; ends with the report to open.",
    ),
    "simulate": ("cli.commands.simulate:simulate", "Write a study folder with known truth."),
    "check": ("cli.commands.check:check", "List what is wrong with a study; changes nothing."),
    "run": ("cli.commands.run:run", "Ingest, train, predict and report a study."),
    "ingest": ("cli.commands.stages:ingest", "Recordings to cells."),
    "train": ("cli.commands.stages:train", "Cells of one or more studies to a model."),
    "predict": ("cli.commands.stages:predict", "Cells to compositions with intervals."),
    "report": ("cli.commands.stages:report", "Compositions to reports."),
    "plan": (
        "cli.commands.plan:plan",
        "What more donors, cells or purified specimens would bring.",
    ),
    "retrain": (
        "cli.commands.retrain:retrain",
        "Candidate, gate, promotion or a reasoned refusal.",
    ),
    "models": ("cli.commands.models:models", "The registry: list, show, promote, rollback."),
    "export": ("cli.commands.export:export", "Predictions, cells, FHIR or HL7 to a file."),
    "tokens": ("cli.commands.tokens:tokens", "Tokens with which machines read the API."),
    "send": ("cli.commands.send:send", "Send released reports to other systems."),
    "outbox": ("cli.commands.outbox:outbox", "What was sent, what waits, what was refused."),
    "serve": ("cli.commands.serve:serve", "The technicians' web application."),
    "work": ("cli.commands.work:work", "Do the long work that was asked for from the pages."),
    "users": ("cli.commands.users:users", "Accounts of the web application."),
    "audit": ("cli.commands.audit:audit", "The trail of changes: list it, verify it."),
    "schedule": ("cli.commands.schedule:schedule", "Serve the scheduled flows."),
    "db": ("cli.commands.db:db", "Upgrade, back up or restore the database."),
    "doctor": ("cli.commands.doctor:doctor", "Check the installation, and what to do about it."),
    "status": ("cli.commands.status:status", "What is stored, quarantined and running."),
}

cellcensus = LazyGroup(
    "cellcensus",
    table=COMMANDS,
    help="A census of the white blood cells in a filmed specimen, learned without annotation.",
    params=[
        *common_parameters(),
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=lambda ctx, _p, value: _version(ctx, value),
            help="Show the version.",
        ),
    ],
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(ctx: click.Context, asked: bool) -> None:
    if asked:
        click.echo(f"cellcensus {__version__}")
        ctx.exit()


def main(arguments: list[str] | None = None) -> None:
    """Run the command and leave with its exit code; a person never sees a traceback."""
    try:
        code = cellcensus.main(arguments, prog_name="cellcensus", standalone_mode=False)
    except click.exceptions.Abort:
        code = _say(
            "stopped. What was finished is stored; the same command goes on from there.", 130
        )
    except KeyboardInterrupt:
        code = _say(
            "stopped. What was finished is stored; the same command goes on from there.", 130
        )
    except click.ClickException as error:
        code = _report_wrong_use(error)
    except CellcensusError as error:
        code = _report_error(error)
    except BrokenPipeError:
        # Whoever read along, such as `head`, has seen enough; nothing more may be flushed to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except OSError as error:
        of_a_place = store_error_of(error)
        code = _report_error(of_a_place) if of_a_place else _report_defect(error)
    except Exception as error:
        code = _report_defect(error)
    sys.exit(code if isinstance(code, int) else 0)


def _say(text: str, code: int) -> int:
    click.echo(f"cellcensus: {text}", err=True)
    return code


def _report_wrong_use(error: click.ClickException) -> int:
    if "--json" not in sys.argv:
        error.show()
        return error.exit_code
    from cellcensus.errors import UsageError
    from cli.terminal import print_error

    ctx = getattr(error, "ctx", None)
    path = ctx.command_path if ctx else "cellcensus"
    wrong = UsageError(error.format_message(), next_step=f"`{path} --help` says how it is used")
    print_error(wrong, as_json=True)
    return error.exit_code


def _report_error(error: CellcensusError) -> int:
    from cli.terminal import print_error

    print_error(error, as_json="--json" in sys.argv)
    return error.exit_code


def _report_defect(error: Exception) -> int:
    from cli.terminal import keep_traceback

    kept = keep_traceback(error)
    return _say(
        f"something went wrong inside the program ({type(error).__name__}: {error}).\n"
        f"Details are in {kept}. Next step: try the same command again; if it fails again, "
        "send that file to whoever looks after the program.",
        1,
    )


if __name__ == "__main__":
    main()
