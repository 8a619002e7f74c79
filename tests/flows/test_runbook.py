"""The run book of docs/operation.md, done step by step."""

import shutil

import pytest
from sqlalchemy import select

from cellcensus.errors import CellcensusError
from db.schema import restore
from db.tables import CellFile, Finding
from flows.export import prediction_rows
from flows.housekeeping import keep_house
from flows.registry import list_models, promote, rollback
from flows.report import report_study
from flows.run import predict_new, run_study
from flows.status import status
from flows.train import train_model
from tests.flows.homes import files_of


def numbers(ctx):
    return sorted(map(str, prediction_rows(ctx, "made-up")))


def done(outcomes):
    return {outcome.stage: outcome.done for outcome in outcomes}


def test_the_disk_is_full(ctx, calls, study):
    run_study(ctx, study.path)
    before = numbers(ctx)
    content = (study.path / "recordings" / "U1.avi").read_text()
    study.film("U1", "full")
    with pytest.raises((CellcensusError, OSError), match="No space left"):
        predict_new(ctx, study.path)
    with ctx.store.reading() as session:
        assert session.scalars(select(Finding).where(Finding.quarantines)).all() == []
    assert numbers(ctx) == before
    study.film("U1", content + " round")
    assert done(predict_new(ctx, study.path)) == {"ingest": 1, "predict": 1, "report": 1}


def test_cells_that_are_not_in_force_may_be_deleted_to_make_room(ctx, calls, study):
    run_study(ctx, study.path)
    first = (study.path / "recordings" / "U1.avi").read_text()
    before = numbers(ctx)
    study.film("U1", first + " round round")
    predict_new(ctx, study.path)
    with ctx.store.reading() as session:
        for row in session.scalars(select(CellFile).where(CellFile.current.is_(False))):
            shutil.rmtree(ctx.home / row.path)
    again = predict_new(ctx, study.path)
    assert [outcome.done for outcome in again] == [0, 0, 0]
    study.film("U1", first)  # made again where it is needed again
    assert done(predict_new(ctx, study.path))["ingest"] == 1
    assert numbers(ctx) == before


def test_the_database_is_lost(opened, calls, study, home):
    ctx = opened()
    run_study(ctx, study.path)
    keep_house(ctx)
    study.add("U2", "unknown", "D9", "round " * 5 + "lobed " * 3)
    study.write()
    predict_new(ctx, study.path)
    expected, files = numbers(ctx), files_of(ctx.home)
    ctx.close()
    for file in home.glob("cellcensus.sqlite*"):
        file.unlink()
    (copy,) = (home / "backups").iterdir()
    restore(copy, f"sqlite:///{home / 'cellcensus.sqlite'}")
    ctx = opened()
    assert done(predict_new(ctx, study.path)) == {"ingest": 1, "predict": 1, "report": 1}
    assert numbers(ctx) == expected
    assert files_of(ctx.home) == files
    assert status(ctx)["last_backup"] == copy.name


def test_a_bad_model(opened, calls, study):
    ctx = opened(seed=1)
    run_study(ctx, study.path)
    before = numbers(ctx)
    bad = train_model(opened(seed=2), [study.path]).model_id
    promote(ctx, bad, "by mistake")
    predict_new(ctx, study.path)
    assert numbers(ctx) != before
    rollback(ctx, "biased")
    assert numbers(ctx) == before
    assert report_study(ctx, study.path).done > 0
    assert [model["state"] for model in list_models(ctx)] == ["champion", "retired"]


def test_a_day_is_run_again(ctx, calls, study):
    run_study(ctx, study.path)
    assert set(done(predict_new(ctx, study.path)).values()) == {0}  # unchanged: nothing to do
    study.film("U1", "round " * 9 + "lobed")  # copied wrongly before
    study.rows["M1"]["dilution"] = "25"  # and written wrongly
    study.write()
    before = calls["ingest"]
    again = done(predict_new(ctx, study.path))
    assert calls["ingest"] == before + 1
    assert again == {"ingest": 1, "predict": 1, "report": 2}
    assert set(done(predict_new(ctx, study.path)).values()) == {0}
