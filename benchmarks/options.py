"""What every benchmark that composes studies is asked with."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path


def study_parser(
    doc: str | None, seeds: Sequence[int], *, composes: bool = False
) -> argparse.ArgumentParser:
    """A parser with ``--crops``, ``--counts``, ``--seeds``, ``--settings`` and ``--out``.

    Parameters
    ----------
    doc
        Of the benchmark; its first line is the description.
    seeds
        Of the studies, where none are given.
    composes
        Whether studies are composed each time, so that crops and counts must be given.
    """
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("--crops", type=Path, required=composes, help="folder with <class>/*.png")
    parser.add_argument("--counts", type=Path, required=composes, help="blood counts, CSV")
    parser.add_argument("--seeds", nargs="+", type=int, default=list(seeds))
    parser.add_argument("--settings", default="{}", help="TrainingSettings as JSON")
    parser.add_argument("--out", type=Path, help="keep every single result here, JSON lines")
    return parser


def add_tables(parser: argparse.ArgumentParser) -> None:
    """Let tables be made of kept results, so that seeds can be run on several machines."""
    parser.add_argument("--tables", nargs="+", type=Path, help="files of --out: print tables only")
