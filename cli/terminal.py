"""What a person sees: progress with the time left, tables, errors.

Results go to stdout, everything else to stderr.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from cellcensus.errors import CellcensusError, StudyError
from cellcensus.findings import Finding, Level

_LEVEL_STYLE = {Level.VIOLATION: "bold red", Level.ALERT: "yellow", Level.INFORMATION: "cyan"}

output = Console()
messages = Console(stderr=True)


def say(text: str = "", *, style: str | None = None, console: Console = output) -> None:
    """Print text as it is: long lines are left whole, so that paths can be copied."""
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


class TerminalProgress:
    """A bar with the time left on a terminal; one line a job where nobody watches a bar."""

    def __init__(self) -> None:
        self._bars = Progress(
            TextColumn("{task.description:<22}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=messages,
            transient=False,
        )
        self._task: TaskID | None = None
        self._label = ""
        self._began = 0.0

    def start(self, label: str, total: float) -> None:
        """Show a new bar."""
        self._label, self._began = label, time.monotonic()
        if messages.is_terminal:
            self._bars.start()
            self._task = self._bars.add_task(label, total=total)
        else:
            say(f"{label}: started", console=messages)

    def advance(self, units: float = 1.0) -> None:
        """Move the bar."""
        if self._task is not None:
            self._bars.advance(self._task, units)

    def finish(self, note: str = "") -> None:
        """Complete the bar and leave one line in its place."""
        if self._task is not None:
            self._bars.update(self._task, completed=self._bars.tasks[self._task].total)
            self._bars.stop()
            self._bars.remove_task(self._task)
            self._task = None
        seconds = time.monotonic() - self._began
        say(f"{self._label}: {note or 'done'} ({seconds:.0f} s)", console=messages)


def print_json(value: Any) -> None:
    """Print a result for machines."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; cells that are numbers stand to the right."""
    table = Table(title=title or None, title_justify="left", header_style="bold")
    listed = [list(row) for row in rows]
    for index, column in enumerate(columns):
        numeric = listed and all(isinstance(row[index], int | float) for row in listed)
        # The first column names the row and is what people copy: it is never broken.
        table.add_column(
            column, justify="right" if numeric else "left", overflow="fold", no_wrap=index == 0
        )
    for row in listed:
        table.add_row(*("" if value is None else str(value) for value in row))
    output.print(table)


def print_findings(findings: Sequence[Finding], console: Console = output) -> None:
    """Print findings, the gravest first, each with what to do."""
    order = list(Level)
    for finding in sorted(findings, key=lambda found: order.index(found.level)):
        where = " ".join(
            part for part in (finding.specimen_id, finding.column and f"[{finding.column}]") if part
        )
        console.print(f"{finding.level.value:<12}", style=_LEVEL_STYLE[finding.level], end="")
        say(f"{where + ': ' if where else ''}{finding.message}", console=console)
        say(f"{'':<12}→ {finding.action}", style="dim", console=console)


def print_error(error: CellcensusError, *, as_json: bool) -> None:
    """Print an error of ours: what, where, and the next step."""
    findings = error.findings if isinstance(error, StudyError) else ()
    if as_json:
        print_json(
            {
                "error": error.message,
                "specimen": error.specimen_id,
                "file": error.file,
                "next_step": error.next_step,
                "findings": [found.as_dict() for found in findings],
            }
        )
        return
    say(f"cellcensus: {error}", console=messages)
    if len(findings) > 1:  # a single one is what the error says
        print_findings(findings, messages)


def keep_traceback(error: BaseException) -> Path:
    """Write the traceback to a file of its own; returns where."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="cellcensus-error-", suffix=".txt", delete=False, encoding="utf-8"
    ) as stream:
        stream.write(" ".join(sys.argv[1:2]) + "\n")
        traceback.print_exception(error, file=stream)
    return Path(stream.name)
