import pytest

from flows.ingest import ingest_study
from flows.predict import predict_study
from flows.registry import list_models, promote, rollback, show_model
from flows.retrain import retrain
from flows.train import train_model


@pytest.fixture
def many(study):
    """A study with enough mixed donors to judge by."""
    for number in range(4):
        rounds = number + 3
        study.add(f"M1{number}", "mixed", f"D1{number}", "round " * rounds + "lobed " * 5)
    study.write()
    return study


def _states(ctx):
    return [model["state"] for model in list_models(ctx)]


def test_a_better_candidate_is_promoted_with_its_reasons(opened, calls, many):
    ingest_study(opened(), many.path)
    train_model(opened(seed=2), [many.path])
    ctx = opened(seed=1)
    outcome = retrain(ctx, [many.path])
    assert _states(ctx) == ["retired", "champion"]
    shown = show_model(ctx, outcome.model_id)
    assert shown["decisions"][0]["action"] == "retrain"
    assert shown["decisions"][0]["details"]["donors"] == 6
    assert any("promoted" in note for note in outcome.notes)


def test_a_worse_candidate_is_refused_and_kept(opened, calls, many):
    ctx = opened(seed=1)
    ingest_study(ctx, many.path)
    train_model(ctx, [many.path])
    outcome = retrain(opened(seed=2), [many.path])
    assert _states(ctx) == ["champion", "refused"]
    assert [m["held_out_worst_class_error_points"] for m in list_models(ctx)] == [0.0, 20.0]
    assert "20.0 points against 0.0" in " ".join(outcome.notes)
    again = retrain(opened(seed=2), [many.path])
    assert again.done == 0
    assert "decided before (refuse" in " ".join(again.notes)


def test_too_few_donors_are_no_ground_for_promotion(opened, calls, study):
    ingest_study(opened(), study.path)
    train_model(opened(seed=2), [study.path])
    outcome = retrain(opened(seed=1), [study.path])
    assert _states(opened()) == ["champion", "refused"]
    assert "only 2 donors" in " ".join(outcome.notes)


def test_donors_new_to_the_champion_count_too(opened, calls, many, study):
    ctx = opened(seed=2)
    few = {name: row for name, row in many.rows.items() if not name.startswith("M1")}
    everything, many.rows = many.rows, few
    many.write()
    ingest_study(ctx, many.path)
    train_model(ctx, [many.path])
    many.rows = everything
    many.write()
    ingest_study(ctx, many.path)
    outcome = retrain(opened(seed=1), [many.path])
    details = show_model(ctx, outcome.model_id)["decisions"][0]["details"]
    assert details["donors"] == 6


def test_without_a_champion_the_candidate_is_the_first(opened, calls, many):
    ingest_study(opened(), many.path)
    retrain(opened(), [many.path])
    assert _states(opened()) == ["champion"]


def test_promote_and_rollback_by_hand(opened, calls, many):
    ctx = opened()
    ingest_study(ctx, many.path)
    first = train_model(ctx, [many.path]).model_id
    second = train_model(opened(seed=2), [many.path]).model_id
    predict_study(ctx, many.path)
    assert promote(ctx, second[:16], "a reason").done == 1
    assert promote(ctx, second).skipped == 1
    assert show_model(ctx, second)["decisions"][0]["reasons"] == ["a reason"]
    assert rollback(ctx).model_id == first
    assert _states(ctx) == ["champion", "retired"]


def test_there_must_be_something_to_go_back_to(opened, calls, many):
    from cellcensus.errors import UsageError

    ctx = opened()
    with pytest.raises(UsageError):
        rollback(ctx)
    ingest_study(ctx, many.path)
    train_model(ctx, [many.path])
    with pytest.raises(UsageError, match="no earlier champion"):
        rollback(ctx)
