"""One cell of the table → one quantity with its finding."""

from __future__ import annotations

from dataclasses import dataclass

from cellcensus.studyfolder.notes import Notes, shown
from cellcensus.studyfolder.numbers import Decimal, read_number


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one row, and what is needed to read them."""

    text: dict[str, str]
    decimal: Decimal
    notes: Notes

    def get(self, column: str) -> str:
        """The text of a cell; empty if the column is missing."""
        return self.text.get(column, "")


def quantity(
    cells: Cells, column: str, *, percent: bool = False, half_below: bool = False
) -> float | None:
    """The number in a cell; ``None`` if there is none, or if it cannot be used (then said).

    Parameters
    ----------
    cells, column
        Where.
    percent
        A ``%`` sign may stand behind the number; the number itself is returned.
    half_below
        ``< x`` is read as x/2, the custom for values below an analyser's limit; else refused.
    """
    text, notes = cells.get(column), cells.notes
    number = read_number(text, cells.decimal)
    if number.note == "below" and half_below and number.value is not None:
        message = f"{column} {shown(text)} is below the limit; {number.value / 2:g} is used"
        notes.information("number_below_limit", message, "Give the value if it is known.", column)
        return number.value / 2
    if number.note in ("ambiguous", "unreadable", "below", "above") or (
        number.note == "percent" and not percent
    ):
        _refuse(number.note, text, column, notes)
        return None
    if number.note == "missing_word":
        message = f"{column} {shown(text)} is read as: not known"
        notes.information("number_missing", message, "Leave the cell empty.", column)
    elif number.note in ("unusual", "percent"):
        message = f"{column} {shown(text)} is read as {number.value:.12g}"
        if number.note == "percent":
            message += " percent"
        notes.information("number_format", message, "Check that this is meant.", column)
    return number.value


def _refuse(note: str, text: str, column: str, notes: Notes) -> None:
    if note == "ambiguous":
        notes.violation(
            "number_ambiguous",
            f"{column} {shown(text)} can be read in two ways",
            "Write it without separators of thousands and with a decimal dot.",
            column,
        )
        return
    notes.violation(
        "number_unreadable",
        f"{column} {shown(text)} is no number that can be used",
        "Write a plain number, such as 1234.5, or leave the cell empty.",
        column,
    )


def positive(cells: Cells, column: str) -> float | None:
    """A quantity that makes sense above 0 only; at or below it is a violation."""
    value = quantity(cells, column)
    if value is not None and value <= 0:
        message = f"{column} is {value:g}; it must be above 0"
        cells.notes.violation("not_positive", message, "Correct it, or leave it empty.", column)
        return None
    return value


def share(cells: Cells, column: str, *, percent_from: float) -> float | None:
    """A share of 1; between ``percent_from`` and 100 it is taken for percent, and that is said.

    What lies between 1 and ``percent_from`` may be either, so it is refused.
    """
    value, notes = quantity(cells, column, percent=True), cells.notes
    if value is None:
        return None
    if cells.get(column).strip().endswith("%"):
        value /= 100
    elif percent_from <= value <= 100:
        message = f"{column} is {value:g}: read as {value:g} percent, that is {value / 100:g}"
        action = f"Write {value / 100:g} if this is right."
        notes.alert(f"{column_word(column)}_in_percent", message, action, column)
        value /= 100
    if not 0 <= value <= 1:
        notes.violation(
            f"{column_word(column)}_out_of_range",
            f"{column} is {value:g}; it must lie between 0 and 1",
            "Write a share, such as 0.95.",
            column,
        )
        return None
    return value


def column_word(column: str) -> str:
    """The kind of a column as it stands in codes: ``purity`` or ``cv``."""
    return "cv" if column.endswith("_cv") else column
