"""``specimens.csv`` → rows of named text cells."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from cellcensus.studyfolder.notes import Notes, did_you_mean, shown
from cellcensus.studyfolder.numbers import Decimal
from cellcensus.studyfolder.textfile import read_text

REQUIRED = ("specimen_id", "donor_id", "role", "recording")
FIXED = (
    *REQUIRED,
    "cell_class",
    "purity",
    "imaged_volume_ul",
    "dilution",
    "acquired_at",
    "instrument_id",
    "wbc_per_ul",
)
PER_CLASS = ("per_ul", "percent", "cv")
MOST_ROWS = 20_000
_CERTAINLY_DECIMAL_COMMA = re.compile(r"[+-]?(0,\d+|\d+,(\d{1,2}|\d{4,}))")


@dataclass(frozen=True)
class Row:
    """One row: text by known column name, and what did not fit."""

    line: int
    cells: dict[str, str]
    surplus: bool  # it has more cells than the table has columns


@dataclass(frozen=True)
class Sheet:
    """The table: which known columns it has, its decimal sign and its rows."""

    columns: frozenset[str]
    decimal: Decimal
    rows: tuple[Row, ...]


def known_columns(classes: tuple[str, ...]) -> dict[str, str]:
    """Column names as :func:`_folded` → as the code calls them."""
    names = [*FIXED, *(f"{name}_{kind}" for name in classes for kind in PER_CLASS)]
    return {_folded(name): name for name in names}


def read_sheet(path: Path, classes: tuple[str, ...], notes: Notes) -> Sheet | None:
    """Read the table; ``None`` and a violation in ``notes`` if it cannot be used at all."""
    text = read_text(path, notes)
    if text is None:
        return None
    first, _, rest = text.partition("\n")
    if first.casefold().startswith("sep="):  # a spreadsheet's hint to itself
        text = rest
    separator = _separator(text)
    try:
        lines = [
            line
            for line in enumerate(csv.reader(io.StringIO(text), delimiter=separator), start=1)
            if any(cell.strip() for cell in line[1])
        ]
    except csv.Error as error:
        notes.violation("table_unreadable", f"{path.name}: {error}", "Export the table again.")
        return None
    if not lines:
        notes.violation("table_empty", f"{path.name} is empty", "Write one row a specimen.")
        return None
    header = _header(lines[0][1], classes, notes)
    if notes.unusable or not _has_rows(len(lines) - 1, path, notes):
        return None
    widths = Counter(len(cells) for _, cells in lines[1:])
    # Some programs end every row with a separator; a single wide row has been displaced.
    width = max(len(header), widths.most_common(1)[0][0])
    rows = tuple(_row(number, cells, header, width) for number, cells in lines[1:])
    _say_separator(separator, notes)
    return Sheet(frozenset(name for name in header if name), _decimal(rows, separator), rows)


def _separator(text: str) -> str:
    header = next((line for line in text.split("\n") if line.strip()), "")
    return max(",;\t|", key=header.count)


def _say_separator(separator: str, notes: Notes) -> None:
    if separator != ",":
        notes.information(
            "table_separator",
            f"specimens.csv separates its columns by {shown(separator)}",
            "Nothing to do; a comma is the usual sign.",
        )


def _has_rows(rows: int, path: Path, notes: Notes) -> bool:
    if rows == 0:
        notes.violation("table_empty", f"{path.name} has no specimens", "Write one row a specimen.")
    elif rows > MOST_ROWS:
        message = f"{path.name} has {rows} rows; at most {MOST_ROWS} are read"
        notes.violation("table_too_long", message, "Split the study.")
    return 0 < rows <= MOST_ROWS


def _header(cells: list[str], classes: tuple[str, ...], notes: Notes) -> list[str | None]:
    known = known_columns(classes)
    names = [_known_name(cell, known, classes, notes) for cell in cells]
    present = [name for name in names if name]
    for name in sorted({name for name in present if present.count(name) > 1}):
        notes.violation("column_twice", f"There are two columns {name}", "Remove one.", name)
    for name in REQUIRED:
        if name not in present:
            message = f"specimens.csv has no column {name}"
            notes.violation("column_missing", message, f"Add the column {name}.", name)
    return names


def _known_name(
    cell: str, known: dict[str, str], classes: tuple[str, ...], notes: Notes
) -> str | None:
    written = cell.strip()
    folded = _folded(written)
    if folded in known or not written:
        return known.get(folded)
    hint = did_you_mean(folded, known.values())
    if hint or folded.endswith(tuple(f"_{kind}" for kind in PER_CLASS)):
        message = f"Column {shown(written)} belongs to no field and no class, and was not read"
        action = f"Name it as the field, or list its class in study.yaml.{hint}"
        notes.alert("column_unknown", message, action, written)
    else:
        message = f"Column {shown(written)} is not used"
        notes.information("column_unknown", message, "Nothing to do.", written)
    return None


def _folded(name: str) -> str:
    return re.sub(r"[\s\-]+", "_", name.casefold()).replace("µ", "u").replace("μ", "u")


def _row(line: int, cells: list[str], header: list[str | None], width: int) -> Row:
    named = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if name}
    surplus = len(cells) > width or any(cell.strip() for cell in cells[len(header) :])
    return Row(line, named, surplus)


def _decimal(rows: tuple[Row, ...], separator: str) -> Decimal:
    # With `,` between columns a decimal comma is an exception; otherwise look for a proof of it.
    if separator == ",":
        return Decimal.DOT
    texts = (cell for row in rows for cell in row.cells.values())
    proof = any(_CERTAINLY_DECIMAL_COMMA.fullmatch(text) for text in texts)
    return Decimal.COMMA if proof else Decimal.DOT
