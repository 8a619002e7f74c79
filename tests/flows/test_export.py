import csv
import json
import math

import pytest

from cellcensus.errors import UsageError
from flows.export import export_cells, export_predictions
from flows.ingest import ingest_study
from flows.predict import predict_study
from flows.train import train_model
from reports.tables import CELLS, PREDICTIONS


@pytest.fixture
def predicted(ctx, study):
    ingest_study(ctx, study.path)
    train_model(ctx, [study.path])
    predict_study(ctx, study.path)
    return ctx


def _read(file):
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_one_row_a_specimen_and_class(predicted, tmp_path):
    out = tmp_path / "p.csv"
    assert export_predictions(predicted, "made-up", "csv", out) == 10
    rows = _read(out)
    assert list(rows[0]) == [column.name for column in PREDICTIONS]
    unknown = [row for row in rows if row["specimen_id"] == "U1"]
    assert [row["cell_class"] for row in unknown] == ["round", "lobed"]
    assert sum(float(row["fraction"]) for row in unknown) == pytest.approx(1)
    assert unknown[0]["cells"] == "10"
    assert {row["flags"] for row in rows if row["role"] == "mixed"} == {"held_out"}


def test_one_row_a_cell(predicted, tmp_path):
    out = tmp_path / "c.csv"
    assert export_cells(predicted, "made-up", "csv", out) == 50
    rows = _read(out)
    assert list(rows[0]) == [column.name for column in CELLS]
    assert {row["cell_class"] for row in rows if row["specimen_id"] == "P2"} == {"lobed"}
    assert {row["x"] for row in rows} == {"5.5"}
    assert [row["cell_id"] for row in rows if row["specimen_id"] == "U1"] == [
        str(i) for i in range(10)
    ]


def test_before_prediction_class_and_probability_are_empty(ctx, study, tmp_path):
    ingest_study(ctx, study.path)
    export_cells(ctx, "made-up", "csv", tmp_path / "c.csv")
    assert {(row["cell_class"], row["probability"]) for row in _read(tmp_path / "c.csv")} == {
        ("", "")
    }
    assert export_predictions(ctx, "made-up", "csv", tmp_path / "p.csv") == 0
    assert (tmp_path / "p.csv").read_text().strip() == ",".join(
        [column.name for column in PREDICTIONS]
    )


@pytest.mark.parametrize("export", [export_predictions, export_cells])
def test_the_formats_say_the_same(predicted, tmp_path, export):
    from pyarrow import parquet

    files = {kind: tmp_path / f"out.{kind}" for kind in ("csv", "json", "parquet")}
    for kind, file in files.items():
        export(predicted, "made-up", kind, file)
    plain = _read(files["csv"])
    as_json = json.loads(files["json"].read_text())
    table = parquet.read_table(files["parquet"]).to_pylist()
    assert len(plain) == len(as_json) == len(table)
    for text, value, typed in zip(plain, as_json, table, strict=True):
        assert value == pytest.approx(typed, nan_ok=True) or value == typed
        for name, word in text.items():
            if isinstance(value[name], float):
                assert math.isclose(float(word), value[name], rel_tol=1e-6)
            else:
                assert word == ("" if value[name] is None else str(value[name]))


def test_an_unknown_study_writes_nothing(predicted, tmp_path):
    with pytest.raises(UsageError, match="made-up"):
        export_predictions(predicted, "other", "csv", tmp_path / "p.csv")
    assert not (tmp_path / "p.csv").exists()
