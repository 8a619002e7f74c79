import csv
import json
from math import nan

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellcensus.errors import UsageError
from reports import tables

COLUMNS = (tables.Column("name"), tables.Column("n", "integer"), tables.Column("x", "number"))


@pytest.fixture
def written(tmp_path):
    def write(rows, columns=COLUMNS, kind="csv"):
        file = tmp_path / f"table.{kind}"
        tables.write_table(rows, columns, kind, file)
        return file

    return write


def read_csv(file):
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_numbers_come_back_bit_for_bit(written):
    values = [0.1 + 0.2, 1e-300, 123456789.123456789, -5.0]
    rows = read_csv(written({"name": "a", "n": i, "x": v} for i, v in enumerate(values)))
    assert [float(row["x"]) for row in rows] == values


def test_single_precision_keeps_its_short_form(written):
    file = written([{"name": "a", "n": np.int64(3), "x": np.float32(0.1)}])
    assert file.read_text().splitlines()[1] == "a,3,0.1"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_spreadsheet_runs_nothing(written, text):
    (row,) = read_csv(written([{"name": text}]))
    assert row["name"].startswith("'")
    assert tables.unguarded(row["name"]).strip(" '") == text.replace("\r", " ").strip(" '")


@pytest.mark.parametrize("text", ["a;=1+1;b", "a,@SUM(A1)", "a\t+1", "x\n=cmd", "＝1"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_cell_of_another_separator_begins_a_formula(written, text, separator):
    file = written([{"name": text, "n": -3, "x": -1.5}])
    with file.open(encoding="utf-8", newline="") as stream:
        cells = [cell for row in csv.reader(stream, delimiter=separator) for cell in row]
    started = [cell for cell in cells if cell.startswith(tuple("=+-@\t＝"))]
    assert [cell for cell in started if not is_number(cell)] == []


def is_number(cell):
    try:
        float(cell)
    except ValueError:
        return False
    return True


@given(st.text(st.characters(blacklist_characters="\r")))
def test_every_text_can_be_had_back(text):
    assert tables.unguarded(tables.guarded(text)) == text


def test_ids_that_begin_like_a_formula_can_be_had_back(written):
    rows = read_csv(written([{"name": name} for name in ("-12", "+D1", "=x", "'quoted", "plain")]))
    assert [row["name"] for row in rows] == ["'-12", "'+D1", "'=x", "''quoted", "plain"]
    back = [tables.unguarded(row["name"]) for row in rows]
    assert back == ["-12", "+D1", "=x", "'quoted", "plain"]


def test_other_formats_are_as_they_are(written):
    rows = [{"name": "=1+1", "n": 1, "x": -1.5}]
    assert json.loads(written(rows, kind="json").read_text()) == rows
    assert pq.read_table(written(rows, kind="parquet")).to_pylist() == rows


def test_a_negative_number_stays_a_number(written):
    assert read_csv(written([{"name": "a", "x": -1.5}]))[0]["x"] == "-1.5"


def test_nothing_is_an_empty_cell_in_every_format(written):
    rows = [{"name": "a", "n": None, "x": nan}]
    expected = {"name": "a", "n": None, "x": None}
    assert written(rows).read_bytes() == b"name,n,x\na,,\n"
    assert json.loads(written(rows, kind="json").read_text()) == [expected]
    assert pq.read_table(written(rows, kind="parquet")).to_pylist() == [expected]


def test_an_empty_table_still_has_its_columns(written):
    table = pq.read_table(written([], tables.PREDICTIONS, "parquet"))
    assert table.column_names == [column.name for column in tables.PREDICTIONS]
    assert str(table.schema.field("per_ul").type) == "double"
    assert json.loads(written([], kind="json").read_text()) == []


def test_many_rows_are_all_there(written, monkeypatch):
    monkeypatch.setattr(tables, "_BATCH", 7)
    rows = [{"name": str(i), "n": i, "x": i / 3} for i in range(23)]
    assert pq.read_table(written(rows, kind="parquet")).to_pylist() == rows
    assert tables.write_table(rows, COLUMNS, "csv", written([])) == 23


def test_lists_are_joined_by_semicolons(written):
    assert written([{"name": ("a", "b")}], COLUMNS[:1]).read_bytes() == b"name\na;b\n"


def test_the_contract_columns_are_there_in_order():
    contract = (
        "study,specimen_id,donor_id,role,model_id,cell_class,cells,fraction,fraction_low,"
        "fraction_high,per_ul,per_ul_low,per_ul_high,flags"
    )
    assert ",".join(c.name for c in tables.PREDICTIONS) == contract
    contract = (
        "study,specimen_id,cell_id,first_frame,last_frame,best_frame,x,y,width,height,area_um2,"
        "cell_class,probability,flags"
    )
    assert ",".join(c.name for c in tables.CELLS) == contract


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(UsageError, match="xlsx"):
        tables.write_table([], COLUMNS, "xlsx", tmp_path / "table")
