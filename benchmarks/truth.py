"""The truth of a study, as ``cellcensus simulate`` and the makers of test studies write it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class SpecimenTruth:
    """What is true of one specimen.

    Parameters
    ----------
    specimen_id, role, group
        ``group`` is ``normal``, ``abnormal`` or empty.
    cells
        Filmed cells of each class, (K,).
    per_ul
        Cells per µL of the donor's blood, (K,).
    intruders
        Filmed cells of no class of the study.
    frames
        Frames of the recording.
    """

    specimen_id: str
    role: str
    group: str
    cells: np.ndarray
    per_ul: np.ndarray
    intruders: int
    frames: int

    @property
    def count(self) -> int:
        """Cells in the recording, those of no class among them."""
        return int(self.cells.sum()) + self.intruders

    @property
    def cell_fraction(self) -> np.ndarray:
        """Share of each class among the filmed cells, (K,); NaN without cells."""
        return _shares(self.cells)

    @property
    def blood_fraction(self) -> np.ndarray:
        """Share of each class in the donor's blood, (K,); NaN without cells."""
        return _shares(self.per_ul)


@dataclass(frozen=True)
class Truth:
    """A truth folder."""

    classes: tuple[str, ...]
    specimens: dict[str, SpecimenTruth]


def _shares(values: np.ndarray) -> np.ndarray:
    total = values.sum()
    return values / total if total > 0 else np.full(len(values), np.nan)


def read_truth(folder: Path) -> Truth:
    """Read ``truth.csv`` of a truth folder, or of the study folder around it.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    with (truth_folder(folder) / "truth.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    classes = tuple(name.removesuffix("_cells") for name in rows[0] if name.endswith("_cells"))
    specimens = {row["specimen_id"]: _specimen(row, classes) for row in rows}
    return Truth(classes, specimens)


def _specimen(row: dict[str, str], classes: tuple[str, ...]) -> SpecimenTruth:
    return SpecimenTruth(
        row["specimen_id"],
        row["role"],
        row["group"],
        np.array([int(row[f"{name}_cells"]) for name in classes]),
        np.array([float(row[f"{name}_per_ul"]) for name in classes]),
        int(row["intruders"] or 0),
        int(row["frames"]),
    )


def truth_folder(folder: Path) -> Path:
    """The folder with ``truth.csv``: the one given, or ``truth`` in it."""
    folder = Path(folder)
    return folder if (folder / "truth.csv").exists() else folder / "truth"
