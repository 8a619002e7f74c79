"""Rows → CSV, Parquet or JSON, with the columns in a fixed order."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import isfinite
from typing import Any, Literal

import numpy as np

from cellcensus.errors import UsageError

Row = Mapping[str, Any]
Format = Literal["csv", "parquet", "json"]
Kind = Literal["text", "integer", "number", "truth"]

# A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


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


def write_rows(rows: Iterable[Row], columns: Sequence[Column], kind: str) -> bytes:
    """A whole table as bytes.

    Parameters
    ----------
    rows
        One mapping a row; a missing name, ``None`` and ``nan`` are an empty cell.
    columns
        Names, order and kinds.
    kind
        ``csv``, ``parquet`` or ``json``.

    Raises
    ------
    UsageError
        Another format was asked for.
    """
    writers = {"csv": csv_bytes, "parquet": parquet_bytes, "json": json_bytes}
    if kind not in writers:
        raise UsageError(
            f"{kind!r} is not a format of tables", next_step="use csv, parquet or json"
        )
    return writers[kind](rows, columns)


def csv_bytes(rows: Iterable[Row], columns: Sequence[Column]) -> bytes:
    """CSV in UTF-8: numbers written so that reading gives them back bit for bit.

    Text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    for row in rows:
        writer.writerow([_csv_cell(_plain(row.get(c.name), c.kind)) for c in columns])
    return stream.getvalue().encode("utf-8")


def json_bytes(rows: Iterable[Row], columns: Sequence[Column]) -> bytes:
    """A JSON array of objects; an empty cell is ``null``."""
    values = [{c.name: _plain(row.get(c.name), c.kind) for c in columns} for row in rows]
    return (json.dumps(values, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def parquet_bytes(rows: Iterable[Row], columns: Sequence[Column]) -> bytes:
    """Parquet with a fixed schema, also for an empty table."""
    import pyarrow as pa  # noqa: PLC0415  a tenth of a second, only for those who want Parquet
    import pyarrow.parquet as pq  # noqa: PLC0415

    kinds = {
        "text": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "truth": pa.bool_(),
    }
    schema = pa.schema([(column.name, kinds[column.kind]) for column in columns])
    values = [{c.name: _plain(row.get(c.name), c.kind) for c in columns} for row in rows]
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(values, schema=schema), stream)
    return stream.getvalue()


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
    return ";".join(map(str, _items(value))) if _is_list(value) else str(value)


def _is_list(value: Any) -> bool:
    return isinstance(value, tuple | list)


def _items(value: Any) -> Iterator[Any]:
    yield from value


def _csv_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    text = str(value)
    # A lone carriage return would end the row for some readers.
    safe = text.replace("\r", " ")
    return f"'{safe}" if isinstance(value, str) and text.startswith(_FORMULA) else safe
