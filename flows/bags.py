"""Stored cells + what the sheet says → the bags that models learn from and predict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cellcensus.study import Specimen
from flows.identity import known_of
from flows.keptcells import KeptCells

if TYPE_CHECKING:
    import numpy as np

    from models.bag import Bag

OF_A_TRACK = ("speed_um_s", "touching")
"""What is told of a cell besides the features of its pictures."""


@dataclass(frozen=True)
class BagSource:
    """Where a bag comes from: small, and picklable."""

    study: str
    specimen: Specimen
    cells: KeptCells

    @property
    def specimen_id(self) -> str:
        """Which specimen."""
        return self.specimen.specimen_id


def load_bag(source: BagSource) -> Bag:
    """The bag of one specimen; its crops stay on disk until they are used.

    Of cells in a storage a copy is made on this machine. It may be dropped while the bag is used:
    its file stays until nobody looks at it.
    """
    from models.bag import Bag, Known
    from pipeline.cells import read_cells
    from pipeline.columns import FEATURES

    with source.cells.folder() as folder:
        cells = read_cells(folder)
    specimen, names = source.specimen, (*FEATURES, *OF_A_TRACK)
    return Bag(
        study=source.study,
        specimen_id=specimen.specimen_id,
        donor_id=specimen.donor_id,
        instrument_id=specimen.instrument_id,
        known=Known(**known_of(specimen)),
        crops=cells.crops,
        features=_features(cells.table, names),
        feature_names=names,
        imaged_volume_ul=specimen.imaged_volume_ul,
        dilution=specimen.dilution,
        window_um=cells.quality.window_um,
    )


def _features(table: Mapping[str, np.ndarray], names: Sequence[str]) -> np.ndarray:
    import numpy as np

    return np.stack([np.asarray(table[name], np.float32) for name in names], axis=1)
