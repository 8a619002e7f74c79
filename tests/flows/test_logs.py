import json

import pytest

from cellcensus.logs import log_file, turn_log
from flows.run import run_study

NAME = "Jane Q. Planted"


def lines(home):
    return [json.loads(line) for line in log_file(home).read_text().splitlines()]


def test_each_stage_is_told_with_ids_and_figures(ctx, study):
    study.film("U1", "")
    run_study(ctx, study.path)
    told = lines(ctx.home)
    assert [line["stage"] for line in told if line["event"] == "stage.finished"] == [
        *("ingest", "train", "predict", "report")
    ]
    (aside,) = [line for line in told if line["event"] == "recording.quarantined"]
    assert (aside["specimen"], aside["code"], aside["level"]) == ("U1", "no_cells", "WARNING")
    first = next(line for line in told if line["event"] == "stage.finished")
    assert first["done"] == 5
    assert first["quarantined"] == 1
    assert first["time"].endswith("+0000")


def planted(study):
    for row in study.rows.values():
        row |= {"patient_name": NAME, "remark": f"sent by {NAME}"}
    study.write()


def test_columns_that_nobody_asked_for_are_not_kept(ctx, study):
    planted(study)
    run_study(ctx, study.path)
    ctx.store.close()
    written = [path for path in ctx.home.rglob("*") if path.is_file()]
    assert len(written) > 10
    assert [path for path in written if NAME.encode() in path.read_bytes()] == []


def test_a_name_in_the_wrong_place_is_in_no_log_and_no_file_name(ctx, study, capfd, caplog):
    planted(study)
    study.rows["U1"]["acquired_at"] = NAME
    study.rows["M1"]["instrument_id"] = NAME
    study.write()
    run_study(ctx, study.path)
    assert NAME not in log_file(ctx.home).read_text()
    assert not any(NAME in str(path) for path in ctx.home.rglob("*"))
    shown = capfd.readouterr()
    assert NAME not in shown.out + shown.err + caplog.text


@pytest.mark.parametrize("size", [10, 17 * 2**20])
def test_a_large_log_is_put_aside(tmp_path, size):
    file = log_file(tmp_path)
    file.parent.mkdir()
    file.write_bytes(b"x" * size)
    assert turn_log(tmp_path) is (size > 2**20)
    assert file.exists() is (size < 2**20)
