"""Some of a specimen's cells: measured, classified and corrected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from cellcensus.settings import Settings
from db.cells import current_cell_file
from db.predictions import current_predictions
from db.review import corrections
from db.tables import Specimen
from flows.classified import read_classes
from flows.keptcells import kept_cells
from flows.plain import plain

_MEASURED = (
    "cell_id",
    "first_frame",
    "last_frame",
    "best_frame",
    "x",
    "y",
    "width",
    "height",
    "area_um2",
)


@dataclass(frozen=True)
class CellPage:
    """Cells as plain values, and how many the specimen has in all."""

    cells: list[dict[str, Any]]
    total: int


def cell_page(
    session: Session, settings: Settings, specimen_key: int, start: int, size: int
) -> CellPage:
    """Cells ``start`` to ``start + size`` of a specimen, in the order of its file.

    Raises
    ------
    StoreError
        The file is missing or damaged.
    """
    from pipeline.cells import TABLE, read_columns

    study_key = session.get_one(Specimen, specimen_key).study_key
    current = next(iter(current_predictions(session, study_key, specimen_key)), None)
    cell_file = current.cell_file if current else current_cell_file(session, specimen_key)
    if cell_file is None:
        return CellPage([], 0)
    with kept_cells(settings, cell_file.path).folder(TABLE) as folder:
        table = read_columns(folder, [*_MEASURED, "flags"])
    total = len(table["cell_id"])
    places = range(min(start, total), min(start + size, total))
    cells = [{name: plain(table[name][i]) for name in _MEASURED} for i in places]
    classified = read_classes(settings.home / current.prediction.path) if current else None
    corrected = corrections(session, current.prediction.key) if current else {}
    for i, cell in zip(places, cells, strict=True):
        cell["flags"] = [code for code in str(table["flags"][i]).split(";") if code]
        cell["cell_class"] = classified.name(i) if classified else None
        cell["probability"] = plain(classified.probability[i]) if classified else None
        cell["corrected_class"] = corrected.get(cell["cell_id"])
    return CellPage(cells, total)
