"""The class of every cell of a specimen, read back from its prediction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cellcensus.errors import StoreError

if TYPE_CHECKING:
    import numpy as np

UNCLASSIFIED, ARTEFACT = -1, -2
WORDS = {UNCLASSIFIED: "unclassified", ARTEFACT: "artefact"}


@dataclass(frozen=True)
class Classified:
    """Classes of cells, in the order of the cells file.

    Parameters
    ----------
    classes
        Names; ``cell_class`` counts them from 0.
    cell_id, cell_class, probability
        Each (n,); −1 unclassified, −2 artefact.
    """

    classes: tuple[str, ...]
    cell_id: np.ndarray
    cell_class: np.ndarray
    probability: np.ndarray

    def name(self, index: int) -> str:
        """The class of one cell, or ``unclassified`` or ``artefact``."""
        number = int(self.cell_class[index])
        return self.classes[number] if number >= 0 else WORDS[number]

    def count(self, number: int) -> int:
        """Cells of one class."""
        return int((self.cell_class == number).sum())


def read_classes(file: Path) -> Classified:
    """Read the classes of a specimen's cells.

    Raises
    ------
    StoreError
        The file is missing or damaged.
    """
    from pyarrow import ArrowException, parquet

    try:
        table = parquet.read_table(file)
    except (OSError, ArrowException) as error:
        raise StoreError(
            "the classes of a specimen's cells cannot be read",
            file=file,
            next_step="`cellcensus predict STUDY` makes the file again",
        ) from error
    names = (table.schema.metadata or {}).get(b"classes", b"").decode()
    columns = {name: table.column(name).to_numpy() for name in table.column_names}
    return Classified(
        tuple(names.split("\n")) if names else (),
        columns["cell_id"],
        columns["cell_class"],
        columns["probability"],
    )
