"""A bag: the cells of one specimen and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Known:
    """What the laboratory says of a specimen; every value may be missing.

    Parameters
    ----------
    role
        ``purified``, ``mixed``, ``unknown``, ``blank`` or ``control``.
    cell_class, purity
        Of a purified specimen; purity is a share, 0–1.
    wbc_per_ul, per_ul
        Analyser totals, cells per µL of blood: of all leukocytes and by class.
    percent
        Percent of the leukocytes by class, where no concentration is known.
    cv
        The analyser's coefficient of variation by class.
    """

    role: str
    cell_class: str | None = None
    purity: float | None = None
    wbc_per_ul: float | None = None
    per_ul: Mapping[str, float] = field(default_factory=dict)
    percent: Mapping[str, float] = field(default_factory=dict)
    cv: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Bag:
    """One specimen's cells.

    Parameters
    ----------
    study, specimen_id, donor_id, instrument_id
        Which specimen it is; every split is by ``donor_id``.
    known
        What is known of it.
    crops
        (n, V, S, S) uint8, V views of each cell, best first; 128 is the background. May be a
        memory map: it is read in pieces.
    features
        (n, F) float32, NaN where a feature cannot be said; ``feature_names`` names the columns.
    imaged_volume_ul, dilution
        Volume of diluted specimen that was filmed, in µL, and how far it was diluted.
    window_um
        What the S pixels of a crop show, in µm; ``None``: the same in every bag.
    """

    study: str
    specimen_id: str
    donor_id: str
    instrument_id: str | None
    known: Known
    crops: np.ndarray
    features: np.ndarray
    feature_names: tuple[str, ...] = ()
    imaged_volume_ul: float | None = None
    dilution: float | None = None
    window_um: float | None = None

    def __len__(self) -> int:
        """How many cells."""
        return len(self.crops)
