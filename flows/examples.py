"""The cells a model card names as examples, as pictures for the study's report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellcensus.errors import CellcensusError
from flows.contents import Subject

if TYPE_CHECKING:
    import numpy as np

    from reports.content import ExampleCell, ExampleShelf

KINDS = ("typical", "uncertain", "influential")


def example_shelves(
    card: Mapping[str, Any], subjects: Sequence[Subject], home: Path
) -> tuple[ExampleShelf, ...]:
    """Of each class what the card names of this study; none where the pictures are gone."""
    from reports.content import ExampleShelf

    crops = _Crops(subjects, home)
    shelves = [
        ExampleShelf(name, *(_cells(crops, shelf.get(kind, ())) for kind in KINDS))
        for name, shelf in (card.get("examples") or {}).items()
    ]
    return tuple(s for s in shelves if s.typical or s.uncertain or s.influential)


class _Crops:
    """Pictures of the specimens of one study, opened once each."""

    def __init__(self, subjects: Sequence[Subject], home: Path) -> None:
        self.found = {(s.study.name, s.specimen.specimen_id): s for s in subjects if s.cell_file}
        self.home, self.open = home, dict[tuple[str, str], Any]()

    def picture(self, study: str, specimen: str, number: int) -> tuple[int, np.ndarray] | None:
        """Cell id and (S, S) pixels; ``None``: of another study, or no longer there."""
        import numpy as np

        from pipeline.cells import read_cells

        key = (study, specimen)
        if key not in self.open:
            file = self.found[key].cell_file if key in self.found else None
            try:
                self.open[key] = read_cells(self.home / file.path) if file else None
            except CellcensusError:
                self.open[key] = None
        cells = self.open[key]
        if cells is None or number >= len(cells.crops):
            return None
        return int(cells.table["cell_id"][number]), np.array(cells.crops[number, 0])


def _cells(crops: _Crops, rows: Sequence[Any]) -> tuple[ExampleCell, ...]:
    from reports.content import ExampleCell

    shown = []
    for study, specimen, number, value in rows:
        found = crops.picture(study, specimen, int(number))
        if found is not None:
            shown.append(ExampleCell(specimen, found[0], found[1], float(value)))
    return tuple(shown)
