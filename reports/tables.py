"""Rows → CSV, Parquet or JSON, with the columns in a fixed order."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cellcensus.errors import UsageError

_BATCH = 20_000  # rows of a Parquet table in memory at a time

Row = Mapping[str, Any]
Kind = Literal["text", "integer", "number", "truth"]

# A spreadsheet takes a cell that begins so for a formula; the wide signs are those of East Asia.
_FORMULA = "=+\\-@\t\r\n＝＋－＠"
# Where a spreadsheet may begin a cell: many separate columns by semicolons or tabs, whatever the
# file says. An apostrophe of the text itself is guarded too, so that guards can be told from it.
_GUARDED = re.compile(f"(^|[,;\\t\\r\\n])(?=['{_FORMULA}])")
_GUARD = re.compile(r"(^|[,;\t\r\n])'")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an export: its name and what is in it."""

    name: str
    kind: Kind = "text"


PREDICTIONS: tuple[Column, ...] = (
    *(Column(name) for name in ("study", "specimen_id", "donor_id", "role", "model_id")),
    Column("cell_class"),
    Column("cells", "integer"),
    *(
        Column(name, "number")
        for name in (
            "fraction",
            "fraction_low",
            "fraction_high",
            "per_ul",
            "per_ul_low",
            "per_ul_high",
        )
    ),
    Column("flags"),
)
"""Columns of ``export predictions``: one row a specimen and class."""

CELLS: tuple[Column, ...] = (
    Column("study"),
    Column("specimen_id"),
    *(Column(n, "integer") for n in ("cell_id", "first_frame", "last_frame", "best_frame")),
    *(Column(name, "number") for name in ("x", "y", "width", "height", "area_um2")),
    Column("cell_class"),
    Column("probability", "number"),
    Column("flags"),
)
"""Columns of ``export cells``: one row a unique cell."""


def write_table(rows: Iterable[Row], columns: Sequence[Column], kind: str, file: Path) -> int:
    """Write a table to ``file``, a few rows in memory at a time.

    Parameters
    ----------
    rows
        One mapping a row; a missing name, ``None`` and ``nan`` are an empty cell.
    columns
        Names, order and kinds.
    kind
        ``csv``, ``parquet`` or ``json``.
    file
        Where to; publishing it atomically is the caller's part.

    Returns
    -------
    int
        How many rows.

    Raises
    ------
    UsageError
        Another format was asked for.
    """
    writers = {"csv": _write_csv, "parquet": _write_parquet, "json": _write_json}
    if kind not in writers:
        raise UsageError(
            f"{kind!r} is not a format of tables", next_step="use csv, parquet or json"
        )
    return writers[kind](rows, columns, file)


def _write_csv(rows: Iterable[Row], columns: Sequence[Column], file: Path) -> int:
    number = 0
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([column.name for column in columns])
        for row in rows:
            number += 1
            writer.writerow([_csv_cell(_plain(row.get(c.name), c.kind)) for c in columns])
    return number


def _write_json(rows: Iterable[Row], columns: Sequence[Column], file: Path) -> int:
    number = 0
    with file.open("w", encoding="utf-8") as stream:
        stream.write("[")
        for number, row in enumerate(rows, start=1):
            stream.write(",\n" if number > 1 else "\n")
            values = {c.name: _plain(row.get(c.name), c.kind) for c in columns}
            stream.write(json.dumps(values, ensure_ascii=False, allow_nan=False))
        stream.write("\n]\n")
    return number


def _write_parquet(rows: Iterable[Row], columns: Sequence[Column], file: Path) -> int:
    import pyarrow as pa  # noqa: PLC0415  a tenth of a second, only for those who want Parquet
    import pyarrow.parquet as pq  # noqa: PLC0415

    kinds = {
        "text": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "truth": pa.bool_(),
    }
    schema = pa.schema([(column.name, kinds[column.kind]) for column in columns])
    number, source = 0, iter(rows)
    with pq.ParquetWriter(file, schema) as writer:
        while batch := list(islice(source, _BATCH)):
            values = [{c.name: _plain(row.get(c.name), c.kind) for c in columns} for row in batch]
            writer.write_table(pa.Table.from_pylist(values, schema=schema))
            number += len(batch)
    return number


def _plain(value: Any, kind: Kind) -> Any:
    if isinstance(value, np.generic):
        # float32 goes through its shortest text: 0.1 stays 0.1 and is not 0.10000000149.
        value = float(str(value)) if isinstance(value, np.float32) else value.item()
    if value is None or (isinstance(value, float) and not isfinite(value)):
        return None
    return _typed(value, kind)


def _typed(value: Any, kind: Kind) -> Any:
    if kind == "integer":
        return int(value)
    if kind == "number":
        return float(value)
    if kind == "truth":
        return bool(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return ";".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def _csv_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    # Numbers stay numbers, negative ones too.
    return guarded(value) if isinstance(value, str) else str(value)


def guarded(text: str) -> str:
    """Text as it stands in a CSV file: with an apostrophe before what could start a formula."""
    # A lone carriage return would end the row for some readers.
    return _GUARDED.sub(r"\1'", text).replace("\r", " ")


def unguarded(cell: str) -> str:
    """The text that :func:`guarded` was given; carriage returns have become blanks."""
    return _GUARD.sub(r"\1", cell)
