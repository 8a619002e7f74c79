"""A prediction with the corrections people made: classes of cells, counts and composition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flows.classified import ARTEFACT, UNCLASSIFIED, WORDS, Classified
from flows.plain import back, number

if TYPE_CHECKING:
    import numpy as np

    from models.recount import Census

CORRECTED_FLAG = "cells_reclassified"
_CODES = {word: code for code, word in WORDS.items()}
_ENDS, _ESTIMATES = ("", "_low", "_high"), ("fraction", "per_ul")


@dataclass(frozen=True)
class Recounted:
    """What a prediction comes to after corrections.

    Parameters
    ----------
    rows
        One a class, with the columns of ``prediction_class``.
    total_per_ul, total_per_ul_low, total_per_ul_high
        All cells per µL; None = cannot be said.
    classified
        Every cell where it stands now.
    moved
        How many cells stand elsewhere than the model put them.
    """

    rows: tuple[CountedClass, ...]
    cells: int
    unclassified: int
    artefacts: int
    total_per_ul: float | None
    total_per_ul_low: float | None
    total_per_ul_high: float | None
    classified: Classified
    moved: int


@dataclass(frozen=True, slots=True)
class CountedClass:
    """One class, named as the columns of ``prediction_class`` are."""

    cell_class: str
    count: int
    fraction: float | None
    fraction_low: float | None
    fraction_high: float | None
    per_ul: float | None
    per_ul_low: float | None
    per_ul_high: float | None


def recounted(prediction: Any, classified: Classified, corrections: Mapping[int, str]) -> Recounted:
    """The prediction as corrected; without corrections, its own numbers bit for bit.

    Parameters
    ----------
    prediction
        A row of ``prediction`` with its classes.
    classified
        The class of every cell by the model.
    corrections
        ``cell_id`` → class, ``unclassified`` or ``artefact``; ids it does not have are passed over.
    """
    import numpy as np

    from models.recount import recount

    names = [row.cell_class for row in prediction.rows]
    called = _in_order(classified, names)
    now = _moved(called, classified.cell_id, corrections, names)
    census = _census(prediction, classified)
    if (called != now).any():
        counts = np.array([(now == place).sum() for place in range(len(names))])
        unclassified, artefacts = ((now == code).sum() for code in (UNCLASSIFIED, ARTEFACT))
        census = recount(census, counts, int(unclassified), int(artefacts))
    # What the model thought of another class says nothing of the one a person chose.
    probability = np.where(called != now, np.nan, classified.probability)
    here = replace(classified, classes=tuple(names), cell_class=now, probability=probability)
    return Recounted(
        tuple(_row(name, census, i) for i, name in enumerate(names)),
        census.cells,
        census.unclassified,
        census.artefacts,
        number(float(census.total[0])),
        number(float(census.total[1])),
        number(float(census.total[2])),
        classified=here,
        moved=int((called != now).sum()),
    )


def code_of(name: str, classes: Mapping[str, int] | list[str]) -> int:
    """The number of a class, of ``unclassified`` or of ``artefact``."""
    return _CODES[name] if name in _CODES else list(classes).index(name)


def _in_order(classified: Classified, names: list[str]) -> np.ndarray:
    """Classes of the cells by their place in ``names``; a class it lacks is unclassified."""
    import numpy as np

    place = [names.index(name) if name in names else -1 for name in classified.classes]
    table = np.array([*place, -2, -1], dtype=np.int64)  # −1 and −2 count from the end
    return table[classified.cell_class.astype(np.int64)]


def _moved(
    called: np.ndarray, cell_id: np.ndarray, corrections: Mapping[int, str], names: list[str]
) -> np.ndarray:
    now = called.copy()
    if corrections:
        where = {int(value): i for i, value in enumerate(cell_id)}
        for cell, name in corrections.items():
            if cell in where:
                now[where[cell]] = code_of(name, names)
    return now


def _census(prediction: Any, classified: Classified) -> Census:
    import numpy as np

    from models.recount import Census

    def column(name: str) -> np.ndarray:
        return np.array([back(getattr(row, name)) for row in prediction.rows], dtype=float)

    return Census(
        counts=np.array([row.count for row in prediction.rows]),
        cells=prediction.cells,
        unclassified=classified.count(UNCLASSIFIED),
        artefacts=classified.count(ARTEFACT),
        total=np.array([back(getattr(prediction, f"total_per_ul{end}")) for end in _ENDS]),
        **{f"{name}{end}": column(f"{name}{end}") for name in _ESTIMATES for end in _ENDS},
    )


def _row(name: str, census: Census, place: int) -> CountedClass:
    values = (
        number(float(getattr(census, f"{what}{end}")[place]))
        for what in _ESTIMATES
        for end in _ENDS
    )
    return CountedClass(name, int(census.counts[place]), *values)
