"""``demo``: the whole job on a small study whose truth is known."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cellcensus.errors import UsageError
from cli.options import Command, load_settings, wants_json
from cli.outcomes import os_actor, tell, worst_exit_code

if TYPE_CHECKING:
    from cellcensus.settings import Settings
    from flows.context import Outcome

STUDY = "demo"
SEED = 20
MADE_BY_DEMO = ".made-by-cellcensus-demo"


@click.command(cls=Command)
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("cellcensus-demo"),
    show_default=True,
    help="Where study and home are written.",
)
@click.option("--again", is_flag=True, help="Remove an earlier demo first.")
@click.option("--serve", is_flag=True, help="Then serve it, with an account to look at it.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to serve on.  [default: 8000]")
def demo(folder: Path, again: bool, serve: bool, port: int | None) -> int:
    """Make a small study with known truth, run it, and compare the result with the truth."""
    from cli.terminal import TerminalProgress, print_json, say
    from flows.context import open_context
    from flows.export import prediction_rows
    from flows.run import run_study

    study = _study(folder, again=again)
    settings = _settings(folder)
    with open_context(settings, progress=TerminalProgress(), actor=os_actor()) as context:
        outcomes = run_study(context, study)
        rows = list(prediction_rows(context, STUDY))
    compared = _compared(rows, study / "truth" / "truth.csv")
    if wants_json():
        print_json({**_summary(outcomes, settings), "compared": compared})
        return worst_exit_code(outcomes)
    _show(compared)
    say()
    code = tell(outcomes)
    if serve and code in (0, 3):
        from cli.touring import serve_tour

        serve_tour(settings, port)
    return code


def _study(folder: Path, *, again: bool) -> Path:
    from cli.terminal import TerminalProgress
    from pipeline.simulation import SimulationSettings, simulate_study

    if again and folder.exists():
        if not (folder / MADE_BY_DEMO).exists():
            raise UsageError(
                "this folder was not made by the demo and is left alone",
                file=folder,
                next_step="name another with --dir",
            )
        shutil.rmtree(folder)
    study = folder / "study"
    if not (study / "study.yaml").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MADE_BY_DEMO).touch()
        settings = SimulationSettings(name=STUDY, seed=SEED, mixed=10, unknown=4, controls=1)
        simulate_study(study, settings=settings, progress=TerminalProgress())
    return study


def _settings(folder: Path) -> Settings:
    """The settings of this call, with a home beside the study and a short training."""
    settings = load_settings()
    quick = settings.training.model_copy(update={"warmup_steps": 900, "bag_steps": 100, "folds": 3})
    named = "home" in settings.model_fields_set
    home = settings.home if named else folder / "home"
    return settings.model_copy(update={"home": home, "training": quick})


def _compared(rows: Sequence[dict[str, Any]], truth: Path) -> list[dict[str, Any]]:
    """Predictions of the unknown specimens beside the true shares of their cells."""
    with truth.open(encoding="utf-8", newline="") as stream:
        true_rows = {row["specimen_id"]: row for row in csv.DictReader(stream)}
    compared = []
    for row in rows:
        true_row = true_rows.get(row["specimen_id"])
        if row["role"] != "unknown" or true_row is None:
            continue
        total = sum(float(value) for name, value in true_row.items() if name.endswith("_per_ul"))
        compared.append(
            {
                "specimen": row["specimen_id"],
                "class": row["cell_class"],
                "fraction": row["fraction"],
                "low": row["fraction_low"],
                "high": row["fraction_high"],
                "truth": float(true_row[f"{row['cell_class']}_per_ul"]) / total,
            }
        )
    return compared


def _show(compared: Sequence[dict[str, Any]]) -> None:
    from cli.terminal import print_table

    print_table(
        "Unknown specimens: predicted share of each class with its 95 % interval, and the truth",
        ("specimen", "class", "predicted %", "95 % interval", "truth %", ""),
        (
            (
                row["specimen"],
                row["class"],
                f"{100 * row['fraction']:.1f}",
                f"{100 * row['low']:.1f} – {100 * row['high']:.1f}",
                f"{100 * row['truth']:.1f}",
                "inside" if row["low"] <= row["truth"] <= row["high"] else "outside",
            )
            for row in compared
        ),
    )


def _summary(outcomes: Sequence[Outcome], settings: Settings) -> dict[str, Any]:
    return {
        "exit_code": worst_exit_code(outcomes),
        "home": str(settings.home),
        "stages": [outcome.as_dict() for outcome in outcomes],
    }
