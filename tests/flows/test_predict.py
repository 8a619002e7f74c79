import pytest
from sqlalchemy import select

from cellcensus.errors import ModelFileError, UsageError
from db.predictions import current_predictions
from db.studies import find_study
from db.tables import ModelVersion, Prediction
from flows.ingest import ingest_study
from flows.predict import predict_study
from flows.registry import promote, rollback
from flows.train import train_model


@pytest.fixture
def trained(ctx, study):
    ingest_study(ctx, study.path)
    train_model(ctx, [study.path])
    return ctx


def _current(ctx):
    with ctx.store.reading() as session:
        found = current_predictions(session, find_study(session, "made-up").key)
    return {c.specimen_id: c for c in found}


def test_all_but_blanks_are_predicted_and_mixed_ones_without_their_donor(trained, study, calls):
    outcome = predict_study(trained, study.path)
    assert (outcome.done, outcome.skipped) == (3, 2)
    current = _current(trained)
    assert set(current) == {"P1", "P2", "M1", "M2", "U1"}
    assert current["M1"].prediction.held_out
    assert not current["U1"].prediction.held_out
    assert current["U1"].prediction.rows[0].per_ul == 500.0
    assert current["U1"].prediction.total_per_ul == 1000.0


def test_the_same_again_does_nothing(trained, study, calls):
    predict_study(trained, study.path)
    outcome = predict_study(trained, study.path)
    assert outcome.summary() == "predict: nothing to do: 5 of 5 up to date"
    assert calls["predict"] == 3


def test_what_the_model_has_seen_says_so(trained, study):
    study.add("C1", "control", "D1", "round " * 4)
    study.write()
    ingest_study(trained, study.path)
    predict_study(trained, study.path)
    flags = {name: c.prediction.flags for name, c in _current(trained).items()}
    assert flags["P1"] == ["specimen_in_training"]
    assert flags["C1"] == ["donor_in_training"]
    assert flags["U1"] == flags["M1"] == []


def test_a_changed_dilution_makes_a_new_prediction_beside_the_old(trained, study):
    predict_study(trained, study.path)
    study.rows["U1"]["dilution"] = "10"
    study.write()
    assert predict_study(trained, study.path).done == 1
    with trained.store.reading() as session:
        assert len(session.scalars(select(Prediction)).all()) == 6
    study.rows["U1"]["dilution"] = "20"
    study.write()
    assert predict_study(trained, study.path).done == 0
    assert _current(trained)["U1"].prediction.recipe["inputs"]["dilution"] == 20.0


def test_missing_concentrations_are_missing(trained, study):
    study.rows["U1"]["dilution"] = ""
    study.write()
    predict_study(trained, study.path)
    prediction = _current(trained)["U1"].prediction
    assert prediction.total_per_ul is None
    assert prediction.rows[0].per_ul is None


def test_without_a_model_the_next_step_is_named(ctx, study):
    ingest_study(ctx, study.path)
    with pytest.raises(UsageError, match="cellcensus train"):
        predict_study(ctx, study.path)


def test_an_altered_model_is_refused(trained, study):
    with trained.store.reading() as session:
        model = session.scalars(select(ModelVersion)).one()
    (trained.home / model.path / "card.json").write_text('{"classes": [], "bias": 1}')
    with pytest.raises(ModelFileError):
        predict_study(trained, study.path)


def test_one_failing_specimen_does_not_stop_the_others(trained, study, monkeypatch):
    import sys

    real = sys.modules["models.prediction"].predict

    def fail(model, bag, **keywords):
        if bag.specimen_id == "P1":
            raise ValueError("odd cells")
        return real(model, bag, **keywords)

    monkeypatch.setattr(sys.modules["models.prediction"], "predict", fail)
    outcome = predict_study(trained, study.path)
    assert outcome.done == 2
    assert outcome.exit_code == 1
    assert outcome.failed == [("P1", "specimen P1: odd cells")]


def test_promotion_and_rollback_give_back_identical_predictions(trained, opened, study):
    predict_study(trained, study.path)
    before = {name: c.prediction.key for name, c in _current(trained).items()}
    worse = train_model(opened(seed=2), [study.path]).model_id
    predict_study(trained, study.path, model_id=worse)
    assert {n: c.prediction.key for n, c in _current(trained).items()} == before
    promote(trained, worse, "to see")
    assert {c.model.model_id for c in _current(trained).values()} == {worse}
    rollback(trained)
    assert {n: c.prediction.key for n, c in _current(trained).items()} == before
