"""Pictures deleted after their time: numbers stay, and who needs pictures says what is missing."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from cellcensus.retained import GONE, PICTURES, delete_pictures, pictures_are_gone
from db.cells import current_cell_files
from db.studies import find_study
from db.tables import AuditEntry
from flows.export import cell_rows, prediction_rows
from flows.housekeeping import keep_house
from flows.ingest import ingest_study
from flows.predict import predict_study
from flows.report import report_study
from flows.run import run_study
from flows.train import train_model

LATER = datetime(2126, 1, 1, tzinfo=UTC)


@pytest.fixture
def run(opened, calls, study):
    """Run the study with pictures, and keep house a hundred years later."""

    def run_and_delete(**days):
        ctx = opened(housekeeping={"backups": 0, "pictures_days": days})
        run_study(ctx, study.path)
        for folder in _folders(ctx).values():
            for name in PICTURES:
                (folder / name).write_bytes(b"x" * 1000)
        return ctx, keep_house(ctx, now=LATER)

    return run_and_delete


def _folders(ctx):
    with ctx.store.reading() as session:
        rows = current_cell_files(session, find_study(session, "made-up").key)
        return {name: ctx.home / row.path for name, row in rows.items()}


def _gone(ctx):
    return {name for name, folder in _folders(ctx).items() if pictures_are_gone(folder)}


def test_only_the_roles_named_lose_their_pictures_and_no_numbers(run, study):
    ctx, outcome = run(unknown=90)
    assert _gone(ctx) == {"U1"}
    assert "1 unknown specimens" in " ".join(outcome.notes)
    folder = _folders(ctx)["U1"]
    assert not any((folder / name).exists() for name in PICTURES)
    assert (folder / "cells.json").exists()
    assert all((_folders(ctx)["M1"] / name).exists() for name in PICTURES)
    assert len(list(cell_rows(ctx, "made-up"))) == 10 * 4 + 10
    assert {row["specimen_id"] for row in prediction_rows(ctx, "made-up")} >= {"U1"}
    with ctx.store.reading() as session:
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "specimen.pictures_deleted")
        ).all()
    assert [entry.subject for entry in entries] == ["specimen:made-up/U1"]
    assert keep_house(ctx, now=LATER).notes == []  # once


def test_by_default_everything_is_kept(run):
    ctx, _ = run()
    assert _gone(ctx) == set()


def test_the_report_says_so(run, study):
    ctx, _ = run(unknown=90)
    report_study(ctx, study.path)
    page = (ctx.home / "reports" / "made-up" / "U1.html").read_text()
    assert "the pictures of its cells were deleted" in page
    assert "deleted" not in (ctx.home / "reports" / "made-up" / "M1.html").read_text()


def test_another_model_leaves_the_earlier_prediction_in_force(run, opened, study):
    ctx, _ = run(unknown=90)
    again = opened(seed=2)
    model = train_model(again, [study.path], crown="better").model_id
    outcome = predict_study(again, study.path)
    assert outcome.exit_code == 0
    assert "earlier predictions stand: U1" in " ".join(outcome.notes)
    models = {row["specimen_id"]: row["model_id"] for row in prediction_rows(ctx, "made-up")}
    assert models["U1"] != models["P1"] == model


def test_asked_for_by_name_they_are_made_again(run, opened, study):
    ctx, _ = run(unknown=90)
    assert ingest_study(ctx, study.path).done == 0  # a nightly run does not make them again
    assert ingest_study(ctx, study.path, specimens=["U1"]).done == 1
    assert _gone(ctx) == set()
    report_study(ctx, study.path)
    page = (ctx.home / "reports" / "made-up" / "U1.html").read_text()
    assert "the pictures of its cells were deleted" not in page


def test_training_says_whom_it_cannot_learn_from(run, opened, study):
    from cellcensus.errors import TrainingError

    ctx, _ = run(mixed=10)
    done = train_model(ctx, [study.path])  # the model it would make stands already
    assert (done.done, done.skipped) == (0, 1)
    outcome = train_model(opened(seed=3), [study.path])
    assert "not learned from: M1, M2" in " ".join(outcome.notes)
    for folder in _folders(ctx).values():
        (folder / PICTURES[0]).write_bytes(b"x")
        delete_pictures(folder, "a test")
    with pytest.raises(TrainingError, match="were deleted"):
        train_model(opened(seed=5), [study.path])


def test_half_deleted_is_deleted_to_the_end(tmp_path):
    for name in PICTURES:
        (tmp_path / name).write_bytes(b"xx")
    (tmp_path / GONE).write_text("")
    assert delete_pictures(tmp_path, "why") == 4
    assert delete_pictures(tmp_path, "why") == 0
