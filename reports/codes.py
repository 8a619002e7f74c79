"""LOINC codes and UCUM units of what is reported, by class and unit, never by label."""

from __future__ import annotations

from dataclasses import dataclass

from reports.ranges import TOTAL, canonical

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
PANEL = "57021-8"  # CBC with automated differential panel


@dataclass(frozen=True, slots=True)
class Unit:
    """A UCUM unit and how it is printed."""

    code: str
    printed: str


PER_NANOLITRE = Unit("10*3/uL", "10*3/uL")
PERCENT = Unit("%", "%")

_ABSOLUTE = {
    TOTAL: "6690-2",
    "neutrophil": "751-8",
    "lymphocyte": "731-0",
    "monocyte": "742-7",
    "eosinophil": "711-2",
    "basophil": "704-7",
    "immature_granulocyte": "53115-2",
    "granulocyte": "20482-6",
}
_PERCENT = {
    "neutrophil": "770-8",
    "lymphocyte": "736-9",
    "monocyte": "5905-5",
    "eosinophil": "713-8",
    "basophil": "706-2",
    "immature_granulocyte": "71695-1",
    "granulocyte": "19023-1",
}


def loinc(cell_class: str, unit: Unit) -> str | None:
    """LOINC code of a class in a unit; ``None`` if it has none (the name is then sent as text)."""
    table = _ABSOLUTE if unit is PER_NANOLITRE else _PERCENT
    return table.get(canonical(cell_class))
