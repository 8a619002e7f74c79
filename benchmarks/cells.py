"""Exported cells against true positions: recall, duplicates, false cells, error of the count.

Usage::

    python -m benchmarks.cells EXPORT TRUTH

EXPORT is the CSV of ``cellcensus export cells``, or a folder with one cells folder a specimen.
TRUTH is ``events.csv`` or ``events.csv.gz`` with at least
``specimen_id, frame, cell, x, y``: the true centroid of each cell in each frame it is in.
An exported cell is matched to the true cell nearest to it in its ``best_frame``.
"""

from __future__ import annotations

import csv
import gzip
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

#: An exported cell farther than this share of its size from every true one is false.
_REACH = 0.5

Truth = dict[int, list[tuple[int, float, float]]]  # frame → (cell, x, y)


@dataclass(frozen=True)
class Exported:
    """One exported cell: where it is in its best frame, pixels."""

    frame: int
    x: float
    y: float
    size: float


@dataclass(frozen=True)
class Score:
    """How the cells of one specimen compare with the truth; counts of cells."""

    true: int
    exported: int
    matched: int
    duplicates: int
    false: int

    @property
    def recall(self) -> float:
        """Share of true cells that were found; NaN without any."""
        return self.matched / self.true if self.true else float("nan")

    @property
    def count_error(self) -> float:
        """(Exported − true) / true."""
        return (self.exported - self.true) / self.true if self.true else float("nan")


def compare(exported: Iterable[Exported], truth: Truth) -> Score:
    """Match exported cells with true ones.

    Parameters
    ----------
    exported
        Of one specimen.
    truth
        True positions by frame.
    """
    hits: Counter[int] = Counter()
    false = total = 0
    for cell in exported:
        total += 1
        near = truth.get(cell.frame, [])
        away = [(np.hypot(x - cell.x, y - cell.y), number) for number, x, y in near]
        distance, number = min(away, default=(np.inf, -1))
        if distance <= max(_REACH * cell.size, 3.0):
            hits[number] += 1
        else:
            false += 1
    cells = {number for rows in truth.values() for number, _, _ in rows}
    duplicates = sum(count - 1 for count in hits.values())
    return Score(len(cells), total, len(hits), duplicates, false)


def read_truth(path: Path) -> dict[str, Truth]:
    """True positions by specimen and frame."""
    result: dict[str, Truth] = defaultdict(lambda: defaultdict(list))
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        for row in csv.DictReader(lines):
            place = (int(row["cell"]), float(row["x"]), float(row["y"]))
            result[row["specimen_id"]][int(row["frame"])].append(place)
    return result


def read_exported(path: Path) -> dict[str, list[Exported]]:
    """Exported cells by specimen, from a CSV or from a folder of cells folders."""
    if path.is_dir():
        return dict(_read_folders(path))
    result: dict[str, list[Exported]] = defaultdict(list)
    with path.open(newline="", encoding="utf-8-sig") as lines:
        for row in csv.DictReader(lines):
            size = max(float(row["width"]), float(row["height"]))
            frame, x, y = int(row["best_frame"]), float(row["x"]), float(row["y"])
            result[row["specimen_id"]].append(Exported(frame, x, y, size))
    return result


def _read_folders(path: Path) -> Iterable[tuple[str, list[Exported]]]:
    from pyarrow import parquet

    for file in sorted(path.rglob("cells.parquet")):
        specimen = file.relative_to(path).parts[0]
        yield specimen, from_table(parquet.read_table(file).to_pydict())


def from_table(table: Mapping[str, object]) -> list[Exported]:
    """Exported cells of a table with the columns of a cells file."""
    columns = [np.asarray(table[name]) for name in ("best_frame", "x", "y", "width", "height")]
    return [
        Exported(int(frame), float(x), float(y), float(max(width, height)))
        for frame, x, y, width, height in zip(*columns, strict=True)
    ]


def report(scores: Mapping[str, Score]) -> str:
    """The table that is printed, one line a specimen and one for all."""
    lines = [
        f"{'specimen':<12}{'true':>7}{'counted':>9}{'recall':>8}{'dupl.':>7}{'false':>7}{'count':>8}"
    ]
    for name, score in [*scores.items(), ("all", total(scores.values()))]:
        lines.append(
            f"{name:<12}{score.true:>7}{score.exported:>9}{score.recall:>8.4f}"
            f"{score.duplicates:>7}{score.false:>7}{score.count_error:>+8.1%}"
        )
    whole = total(scores.values())
    if whole.true:
        lines.append(
            f"duplicates {whole.duplicates / whole.true:.2%} and "
            f"false {whole.false / whole.true:.2%} of cells; worst count error "
            f"{max((abs(s.count_error) for s in scores.values() if s.true), default=0.0):.1%}"
        )
    return "\n".join(lines)


def total(scores: Iterable[Score]) -> Score:
    """Sum of scores."""
    rows = [(s.true, s.exported, s.matched, s.duplicates, s.false) for s in scores]
    return Score(*(sum(column) for column in zip(*rows, strict=True))) if rows else Score(*[0] * 5)


def main(arguments: list[str]) -> int:
    """Print the comparison of an export with the truth."""
    if len(arguments) != 2:
        print(__doc__)
        return 2
    exported, truth = read_exported(Path(arguments[0])), read_truth(Path(arguments[1]))
    scores = {name: compare(cells, truth.get(name, {})) for name, cells in sorted(exported.items())}
    print(report(scores))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
