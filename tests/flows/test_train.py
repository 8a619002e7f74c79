import shutil

import pytest
from sqlalchemy import select

from cellcensus.errors import StoreError, TrainingError, UsageError
from db.tables import ModelVersion, Prediction
from flows.ingest import ingest_study
from flows.registry import list_models
from flows.train import train_model
from tests.flows.conftest import Folder


def _all(ctx, table):
    with ctx.store.reading() as session:
        return session.scalars(select(table).order_by(table.key)).all()


def test_the_first_model_is_the_champion_and_the_next_a_candidate(opened, calls, study):
    ctx = opened()
    ingest_study(ctx, study.path)
    first = train_model(ctx, [study.path])
    second = train_model(opened(seed=2), [study.path])
    assert [model["state"] for model in list_models(ctx)] == ["champion", "candidate"]
    assert first.model_id != second.model_id
    assert "promote" in second.notes[0]


def test_the_same_again_does_nothing(ctx, study, calls):
    ingest_study(ctx, study.path)
    train_model(ctx, [study.path])
    outcome = train_model(ctx, [study.path])
    assert (outcome.done, outcome.skipped, calls["train"]) == (0, 1, 1)
    assert len(_all(ctx, ModelVersion)) == 1


def test_held_out_predictions_of_mixed_specimens_are_stored(ctx, study):
    ingest_study(ctx, study.path)
    train_model(ctx, [study.path])
    stored = _all(ctx, Prediction)
    assert [row.held_out for row in stored] == [True, True]
    assert [row.rows[0].fraction for row in stored] == [0.6, 0.3]
    assert stored[0].details == {"what": 1.5, "none": None}
    assert all((ctx.home / row.path).is_file() for row in stored)


@pytest.mark.parametrize("change", ["purity", "recording", "seed"])
def test_anything_changed_makes_another_model(opened, calls, study, change):
    ctx = opened()
    ingest_study(ctx, study.path)
    before = train_model(ctx, [study.path]).model_id
    if change == "purity":
        study.rows["P1"]["purity"] = "0.97"
        study.write()
    if change == "recording":
        study.film("M1", "round " * 7 + "lobed " * 3)
        ingest_study(ctx, study.path)
    after = train_model(opened(seed=3) if change == "seed" else ctx, [study.path]).model_id
    assert before != after


def test_a_new_unknown_specimen_is_no_reason_to_train_again(ctx, study, calls):
    ingest_study(ctx, study.path)
    train_model(ctx, [study.path])
    study.add("U2", "unknown", "D9", "round " * 5)
    study.write()
    ingest_study(ctx, study.path)
    assert train_model(ctx, [study.path]).skipped == 1


def test_studies_are_learned_from_together(ctx, study, tmp_path):
    other = Folder(tmp_path / "other", name="another")
    ingest_study(ctx, study.path)
    ingest_study(ctx, other.path)
    outcome = train_model(ctx, [study.path, other.path])
    (model,) = _all(ctx, ModelVersion)
    assert outcome.study is None
    assert {entry["study"] for entry in model.trained_on} == {"made-up", "another"}
    assert len(_all(ctx, Prediction)) == 4


def test_studies_with_other_classes_are_refused(ctx, study, tmp_path):
    other = Folder(tmp_path / "other", name="another")
    text = (other.path / "study.yaml").read_text()
    (other.path / "study.yaml").write_text(text.replace("[round, lobed]", "[round, lobed, odd]"))
    with pytest.raises(UsageError, match="different classes"):
        train_model(ctx, [study.path, other.path])


def test_without_cells_the_next_step_is_named(ctx, study):
    with pytest.raises(TrainingError, match="cellcensus ingest"):
        train_model(ctx, [study.path])


def test_a_lost_model_is_not_replaced_in_silence(ctx, study):
    ingest_study(ctx, study.path)
    train_model(ctx, [study.path])
    shutil.rmtree(ctx.home / "models")
    with pytest.raises(StoreError, match="missing"):
        train_model(ctx, [study.path])
