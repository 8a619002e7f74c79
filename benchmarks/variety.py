"""Studies of every kind: simulated, run from recordings to export, compared with their truth.

    python -m benchmarks.variety [KIND …] [--crops DIR] [--keep FOLDER] [--out FILE]

What one kind of study never shows another may: other optics, another way of filming, other classes,
a sheet that tells less. With ``--crops`` the pictures are of real cells where a kind allows it;
specimens to be predicted show others than those that teach. Prints one line a kind: errors of the
unknown specimens in points, how far the best that can be counted is off (floor), how often
intervals hold and how wide they are.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.compare import compare, read_predictions
from benchmarks.kept import keep
from benchmarks.realstudy import CELLCENSUS, export
from benchmarks.truth import read_truth

Row = dict[str, str]
Sheet = Callable[[Row], Row | None]
_SIZE = {
    "purified_per_class": 2,
    "mixed": 24,
    "unknown": 12,
    "blanks": 2,
    "cells": 400,
    "abnormal_share": 0.3,
}


@dataclass(frozen=True)
class Kind:
    """A kind of study.

    Parameters
    ----------
    settings
        Of the simulation, besides those that all have.
    sheet
        What becomes of each row of the sheet; ``None``: it is left out.
    drawn
        Its classes are none of which there are pictures.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    sheet: Sheet = dict
    drawn: bool = False


def _tells(*classes: str) -> Sheet:
    """The analyser tells these classes and the total."""

    def told(row: Row) -> Row:
        kept = {f"{name}_per_ul" for name in (*classes, "wbc")}
        return {
            name: value if name in kept or not name.endswith("_per_ul") else ""
            for name, value in row.items()
        }

    return told


def _without(**what: str) -> Sheet:
    """No specimen of this role or class."""
    return lambda row: None if any(row[name] == value for name, value in what.items()) else row


KINDS = {
    "flow": Kind(),
    "fields": Kind({"mode": "fields", "cells_per_frame": 8, "format": "png"}),
    "events": Kind({"mode": "events", "format": "rtdc", "width": 112, "height": 80}),
    "bright": Kind({"polarity": "bright"}),
    "tif16": Kind({"format": "tif", "bit_depth": 16}),
    "coarse": Kind({"pixel_size_um": 0.8}),
    "fine": Kind({"pixel_size_um": 0.2, "width": 480, "height": 360, "cells_per_frame": 4}),
    "strong": Kind({"donor": 2.0, "chemistry": 2.0}),
    "few donors": Kind({"mixed": 8, "purified_per_class": 1}),
    "many cells": Kind({"cells": 2000}),
    "two classes": Kind({"classes": ["neutrophil", "lymphocyte"]}),
    "six classes": Kind(
        {"classes": ["blast", "band", "segmented", "T-cell", "B-cell", "nk"]}, drawn=True
    ),
    "partial": Kind(sheet=_tells("neutrophil", "lymphocyte")),
    "neutrophils": Kind(sheet=_tells("neutrophil")),
    "no blank": Kind(sheet=_without(role="blank")),
    "no basophils": Kind(sheet=_without(cell_class="basophil")),
}


def make(kind: Kind, name: str, seed: int, crops: Path | None, folder: Path) -> tuple[Path, Path]:
    """Simulate a study; its folder, and that of its truth, which lies outside of it."""
    study, truth = folder / "study", folder / "truth"
    settings = {**_SIZE, **kind.settings, "name": name}
    command = [str(CELLCENSUS), "simulate", str(study), "--seed", str(seed)]
    for key, value in settings.items():
        command += ["--set", f"{key}={json.dumps(value) if isinstance(value, list) else value}"]
    if crops and not kind.drawn:
        command += ["--crops", str(crops)]
    subprocess.run(command, check=True, capture_output=True)
    (study / "truth").rename(truth)
    sheet = study / "specimens.csv"
    with sheet.open(newline="") as file:
        rows = [kept for row in csv.DictReader(file) if (kept := kind.sheet(row)) is not None]
    with sheet.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return study, truth


def run(study: Path, truth: Path, name: str, home: Path) -> dict[str, Any]:
    """Run a study and compare its export with its truth."""
    begun = time.perf_counter()
    done = subprocess.run(
        [str(CELLCENSUS), "run", str(study), "--home", str(home)], check=False, capture_output=True
    )
    result: dict[str, Any] = {"exit": done.returncode, "seconds": time.perf_counter() - begun}
    if done.returncode not in (0, 3):
        return {**result, "message": done.stderr.decode()[-500:]}
    known = read_truth(truth)
    found = read_predictions(export("predictions", name, home), known.classes)
    return {**result, **compare(known, found, None)}


def line(name: str, result: dict[str, Any]) -> str:
    """One line of the table."""
    if "fractions" not in result:
        return f"{name:<14}exit code {result['exit']}: {result.get('message', '')}"
    found = result["fractions"]
    floor = max(value for value in found["sampling_floor"].values() if value is not None)
    covered = " ".join(f"{value:.2f}" for value in found["coverage"].values())
    width = " ".join(f"{value:.1f}" for value in found["width"].values())
    return (
        f"{name:<14}{found['mean_error']:>6.2f}{found['worst_class_error']:>7.2f}{floor:>7.2f}"
        f"   {covered:<32}{width:<30}{result['seconds']:>5.0f}"
    )


def main() -> None:
    """Make, run, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("kinds", nargs="*", default=list(KINDS), metavar="KIND")
    parser.add_argument("--crops", type=Path, help="pictures of real cells, DIR/<class>/*.png")
    parser.add_argument("--seed", type=int, default=601, help="of the first; each has its own")
    parser.add_argument("--keep", type=Path, help="folder for studies and homes")
    parser.add_argument("--out", type=Path, help="JSON lines, one a kind")
    chosen = parser.parse_args()
    head = ("kind", "mean", "worst", "floor", "   covered, by class", "width", "s")
    print("{:<14}{:>6}{:>7}{:>7}{:<35}{:<30}{:>5}".format(*head))
    with tempfile.TemporaryDirectory() as temporary:
        for name in chosen.kinds:
            folder = (chosen.keep or Path(temporary)) / name.replace(" ", "-")
            folder.mkdir(parents=True)
            seed, study = chosen.seed + list(KINDS).index(name), name.replace(" ", "-")
            places = make(KINDS[name], study, seed, chosen.crops, folder)
            result = run(*places, study, folder / "home")
            keep(chosen.out, {"kind": name, "seed": seed, **result})
            print(line(name, result), flush=True)


if __name__ == "__main__":
    main()
