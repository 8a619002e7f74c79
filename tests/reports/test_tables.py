import csv
import io
import json
from math import nan

import numpy as np
import pyarrow.parquet as pq
import pytest

from cellcensus.errors import UsageError
from reports import tables

COLUMNS = (tables.Column("name"), tables.Column("n", "integer"), tables.Column("x", "number"))


def test_numbers_come_back_bit_for_bit():
    values = [0.1 + 0.2, 1e-300, 123456789.123456789, -5.0]
    written = tables.csv_bytes(
        [{"name": "a", "n": i, "x": v} for i, v in enumerate(values)], COLUMNS
    )
    read = [float(row["x"]) for row in csv.DictReader(io.StringIO(written.decode()))]
    assert read == values


def test_single_precision_keeps_its_short_form():
    written = tables.csv_bytes([{"name": "a", "n": np.int64(3), "x": np.float32(0.1)}], COLUMNS)
    assert written.decode().splitlines()[1] == "a,3,0.1"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_spreadsheet_runs_nothing(text):
    written = tables.csv_bytes([{"name": text}], COLUMNS)
    cell = next(csv.DictReader(io.StringIO(written.decode(), newline="")))["name"]
    assert cell == "'" + text.replace("\r", " ")


def test_nothing_is_an_empty_cell_in_every_format():
    rows = [{"name": "a", "n": None, "x": nan}]
    assert tables.csv_bytes(rows, COLUMNS) == b"name,n,x\na,,\n"
    assert json.loads(tables.json_bytes(rows, COLUMNS)) == [{"name": "a", "n": None, "x": None}]
    table = pq.read_table(io.BytesIO(tables.parquet_bytes(rows, COLUMNS)))
    assert table.to_pylist() == [{"name": "a", "n": None, "x": None}]


def test_an_empty_parquet_still_has_its_columns():
    table = pq.read_table(io.BytesIO(tables.write_rows([], tables.PREDICTIONS, "parquet")))
    assert table.column_names == [column.name for column in tables.PREDICTIONS]
    assert str(table.schema.field("per_ul").type) == "double"


def test_lists_are_joined_by_semicolons():
    assert tables.csv_bytes([{"name": ("a", "b")}], COLUMNS[:1]) == b"name\na;b\n"


def test_the_contract_columns_are_there_in_order():
    assert [c.name for c in tables.PREDICTIONS] == [
        "study",
        "specimen_id",
        "donor_id",
        "role",
        "model_id",
        "cell_class",
        "cells",
        "fraction",
        "fraction_low",
        "fraction_high",
        "per_ul",
        "per_ul_low",
        "per_ul_high",
        "flags",
    ]
    assert [c.name for c in tables.CELLS] == [
        "study",
        "specimen_id",
        "cell_id",
        "first_frame",
        "last_frame",
        "best_frame",
        "x",
        "y",
        "width",
        "height",
        "area_um2",
        "cell_class",
        "probability",
        "flags",
    ]


def test_an_unknown_format_is_refused():
    with pytest.raises(UsageError, match="xlsx"):
        tables.write_rows([], COLUMNS, "xlsx")
