"""A whole study from video to export, compared with its truth, in one command.

    python -m benchmarks.realstudy STUDY TRUTH [--home DIR]

Runs ``cellcensus run`` on STUDY (in a temporary home unless one is named), exports predictions and
cells, and prints what ``benchmarks.compare`` finds, with the seconds it took.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import compare
from cellcensus.studyfolder import load_study

CELLCENSUS = Path(sys.executable).with_name("cellcensus")


def export(what: str, name: str, home: Path) -> Path:
    """Export ``predictions`` or ``cells`` of a study of this name; the file."""
    file = home / f"{what}.csv"
    subprocess.run(
        [
            *(str(CELLCENSUS), "export", what, "--study", name, "--home", str(home)),
            *("--out", str(file)),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return file


def measure(study: Path, truth: Path, home: Path) -> int:
    """Run, export and compare; the exit code of the run."""
    began = time.perf_counter()
    done = subprocess.run([str(CELLCENSUS), "run", str(study), "--home", str(home)], check=False)
    print(f"run: exit code {done.returncode}, {time.perf_counter() - began:.0f} s")
    if done.returncode not in (0, 3):
        return done.returncode
    name = load_study(study).name
    predictions, cells = (export(what, name, home) for what in ("predictions", "cells"))
    compare.main(
        [
            *("--predictions", str(predictions), "--cells", str(cells)),
            *("--truth", str(truth)),
        ]
    )
    return done.returncode


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("study", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--home", type=Path)
    arguments = parser.parse_args()
    if arguments.home:
        sys.exit(measure(arguments.study, arguments.truth, arguments.home))
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(measure(arguments.study, arguments.truth, Path(folder)))


if __name__ == "__main__":
    main()
