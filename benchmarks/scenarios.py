"""Simulated studies, each hard in one way, and whether every cell is found once.

Usage::

    python -m benchmarks.scenarios [NAME …] [--cells N] [--blind] [--keep FOLDER]
    python -m benchmarks.scenarios --random 60 [--seed N]

``--blind`` hides from the census what the study says of its cells (diameters, polarity).
``--random`` draws the conditions of so many studies (:mod:`benchmarks.conditions`), the first by
the seed; of what is short they are printed.
Prints one line a scenario: recall, duplicates, false cells, worst error of the count, and
which alerts any of its recordings is given.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.cells import Score, compare, from_table, read_truth, total
from benchmarks.conditions import draw_conditions
from cellcensus.findings import Level
from cellcensus.settings import IngestSettings, QualityLimits
from cellcensus.study import Acquisition, CellHints, Mode, Polarity
from pipeline.census import take_census
from pipeline.quality import Quality, judge
from pipeline.recordings import open_recording
from pipeline.simulation.scenarios import SCENARIOS
from pipeline.simulation.settings import SimulationSettings
from pipeline.simulation.study import simulate_study

#: What each scenario must reach.
RECALL, DUPLICATES, FALSE = 0.98, 0.01, 0.02


@dataclass(frozen=True)
class Outcome:
    """Scores and figures of the specimens of one scenario."""

    scores: dict[str, Score]
    figures: dict[str, dict[str, float]]
    seconds: float
    mode: Mode

    @property
    def filled(self) -> list[Score]:
        """Scores of the specimens with cells."""
        return [score for score in self.scores.values() if score.true]

    @property
    def good(self) -> bool:
        """Whether these reached what they must."""
        whole = total(self.filled)
        true = max(whole.true, 1)
        good = whole.duplicates <= DUPLICATES * true and whole.false <= FALSE * true
        return good and whole.recall >= RECALL


def play(
    conditions: Mapping[str, Any], folder: Path, *, cells: int, blind: bool, seed: int = 1
) -> Outcome:
    """Simulate a study, take the census of its recordings, and compare.

    Parameters
    ----------
    conditions
        Settings of the simulation, which go before the others.
    folder
        Where the study is written; must not exist.
    cells
        Cells of a specimen.
    blind
        Whether the census is told nothing of diameters and polarity.
    seed
        Of the simulation.
    """
    counts: dict[str, Any] = {"purified_per_class": 0, "mixed": 2, "unknown": 0, "blanks": 1}
    settings = SimulationSettings(**{"seed": seed, "cells": cells, **counts, **conditions})
    simulate_study(folder, settings=settings)
    truth = _truth(folder)
    study = yaml.safe_load((folder / "study.yaml").read_text())
    acquisition = _acquisition(study["acquisition"])
    hints = CellHints() if blind else _hints(study["cells"])
    scores, figures, started = {}, {}, time.perf_counter()
    for specimen, recording in _recordings(folder):
        with open_recording(recording, folder=folder) as opened:
            census = take_census(
                opened, acquisition=acquisition, hints=hints, settings=IngestSettings()
            )
        scores[specimen] = compare(from_table(census.table), truth.get(specimen, {}))
        figures[specimen] = census.figures
    return Outcome(scores, figures, time.perf_counter() - started, acquisition.mode)


def _truth(folder: Path) -> dict[str, Any]:
    found = [*(folder / "truth").glob("events.csv*")]
    return read_truth(found[0]) if found else defaultdict(dict)


def _acquisition(values: dict[str, Any]) -> Acquisition:
    return Acquisition(
        Mode(values["mode"]), float(values["pixel_size_um"]), values.get("frame_rate_hz")
    )


def _hints(values: dict[str, Any]) -> CellHints:
    low, high = values["diameter_um"]
    return CellHints((float(low), float(high)), Polarity(values["polarity"]))


def _recordings(folder: Path) -> list[tuple[str, str]]:
    import csv

    with (folder / "specimens.csv").open(newline="") as lines:
        return [(row["specimen_id"], row["recording"]) for row in csv.DictReader(lines)]


def line(name: str, outcome: Outcome) -> str:
    """One line of the table."""
    empty = [score for score in outcome.scores.values() if not score.true]
    whole = total(outcome.filled)
    true = max(whole.true, 1)
    worst = max((abs(score.count_error) for score in outcome.filled), default=0.0)
    blanks = sum(score.exported for score in empty)
    return (
        f"{name:<12}{whole.true:>6}{whole.recall:>9.4f}{whole.duplicates / true:>9.2%}"
        f"{whole.false / true:>8.2%}{worst:>8.1%}{blanks:>7}{outcome.seconds:>8.1f}"
        f"  {'ok   ' if outcome.good else 'SHORT'}  {' '.join(_alerts(outcome))}"
    )


def _alerts(outcome: Outcome) -> list[str]:
    """Codes of the findings on any recording, without those that only inform."""
    found: dict[str, None] = {}
    for specimen, figures in outcome.figures.items():
        findings = judge(
            Quality.of(figures),
            mode=outcome.mode,
            limits=QualityLimits(),
            specimen_id=specimen,
            expects_cells=bool(outcome.scores[specimen].true),
        )
        found |= dict.fromkeys(f.code for f in findings if f.level is not Level.INFORMATION)
    return list(found)


def main(arguments: list[str]) -> int:
    """Play scenarios and print their table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("names", nargs="*", default=[*SCENARIOS])
    parser.add_argument("--cells", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--blind", action="store_true")
    parser.add_argument("--random", type=int, metavar="N", help="studies at random conditions")
    parser.add_argument("--keep", type=Path, help="folder for the studies and their figures")
    chosen = parser.parse_args(arguments)
    plays = {name: (SCENARIOS[name], chosen.seed) for name in chosen.names}
    if chosen.random:
        seeds = range(chosen.seed, chosen.seed + chosen.random)
        plays = {f"random {seed}": (draw_conditions(seed), seed) for seed in seeds}
    print(
        f"{'scenario':<12}{'cells':>6}{'recall':>9}{'dupl.':>9}{'false':>8}{'count':>8}"
        f"{'blank':>7}{'s':>8}"
    )
    with tempfile.TemporaryDirectory() as temporary:
        for name, (conditions, seed) in plays.items():
            folder = (chosen.keep or Path(temporary)) / name
            outcome = play(conditions, folder, cells=chosen.cells, blind=chosen.blind, seed=seed)
            print(line(name, outcome), flush=True)
            if chosen.random and not outcome.good:
                print(f"{'':<12}{json.dumps(conditions)}")
            if chosen.keep:
                (folder / "figures.json").write_text(json.dumps(outcome.figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
