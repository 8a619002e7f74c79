import pytest

from flows.ingest import ingest_study
from flows.predict import predict_study
from flows.registry import list_models, promote, rollback, show_model
from flows.retrain import retrain
from flows.run import run_study
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


def plan(home, text):
    home.mkdir(exist_ok=True)
    (home / "change_plan.yaml").write_text(text)


def test_what_the_plan_does_not_allow_is_refused(opened, calls, many, home):
    ingest_study(opened(), many.path)
    train_model(opened(seed=2), [many.path])
    plan(home, "may_change: {settings: false}")
    outcome = retrain(opened(seed=1), [many.path])
    assert _states(opened()) == ["champion", "refused"]
    assert "allows no change of settings" in " ".join(outcome.notes)
    assert "training differs in" in " ".join(outcome.notes)


def test_a_new_instrument_is_a_change(opened, calls, many, home):
    ingest_study(opened(), many.path)
    train_model(opened(seed=1), [many.path])
    many.add("M99", "mixed", "D99", "round " * 4 + "lobed " * 6)
    many.rows["M99"]["instrument_id"] = "bench-9"
    many.write()
    ingest_study(opened(), many.path)
    plan(home, "may_change: {instruments: false}")
    outcome = retrain(opened(seed=1), [many.path])
    assert "bench-9" in " ".join(outcome.notes)
    assert _states(opened()) == ["champion", "refused"]


def test_who_must_approve_is_waited_for(opened, calls, many, home):
    from cellcensus.errors import UsageError

    ingest_study(opened(), many.path)
    train_model(opened(seed=2), [many.path])
    plan(home, "approval: [ada]")
    ctx = opened(seed=1)
    outcome = retrain(ctx, [many.path])
    assert _states(ctx) == ["champion", "candidate"]
    assert "to be approved by ada" in " ".join(outcome.notes)
    again = retrain(ctx, [many.path])
    assert "decided before (accept" in " ".join(again.notes)
    with pytest.raises(UsageError, match="may not approve"):
        promote(ctx, outcome.model_id)
    ctx.store.actor = "ada"
    promote(ctx, outcome.model_id, "looked at")
    assert _states(ctx) == ["retired", "champion"]


def test_a_run_crowns_nobody_who_must_be_approved(opened, calls, many, home):
    run_study(opened(seed=2), many.path)
    plan(home, "approval: [ada]")
    ctx = opened(seed=1)
    outcomes = {outcome.stage: outcome for outcome in run_study(ctx, many.path)}
    assert _states(ctx) == ["champion", "candidate"]
    assert "candidate" in " ".join(outcomes["train"].notes)
    assert outcomes["predict"].done == 0  # the champion has predicted all there is


def test_nobody_approves_what_the_gate_refused(opened, calls, many, home):
    from cellcensus.errors import UsageError

    ctx = opened(seed=1)
    ingest_study(ctx, many.path)
    train_model(ctx, [many.path])
    plan(home, "approval: [ada]")
    outcome = retrain(opened(seed=2), [many.path])
    ctx.store.actor = "ada"
    with pytest.raises(UsageError, match="did not pass"):
        promote(ctx, outcome.model_id)


def test_verification_donors_are_never_learned_from(opened, calls, many, home):
    plan(home, "verification: {share: 0.4, fewest: 1}")
    ctx = opened(seed=2)
    ingest_study(ctx, many.path)
    first = train_model(ctx, [many.path]).model_id
    learned = {t["donor_id"] for t in show_model(ctx, first)["trained_on"] if t["role"] == "mixed"}
    mixed = {row["donor_id"] for row in many.rows.values() if row["role"] == "mixed"}
    apart = mixed - learned
    assert 0 < len(apart) < len(mixed)
    outcome = retrain(opened(seed=1), [many.path])
    again = {t["donor_id"] for t in show_model(ctx, outcome.model_id)["trained_on"]}
    assert not again & apart
    details = show_model(ctx, outcome.model_id)["decisions"][0]["details"]
    assert details["verification"]["overall"]["champion"] == pytest.approx(20.0)


def test_a_donor_once_learned_from_is_not_kept_apart(opened, calls, many, home):
    ctx = opened(seed=2)
    ingest_study(ctx, many.path)
    train_model(ctx, [many.path])
    plan(home, "verification: {share: 0.5, fewest: 1}")
    outcome = retrain(opened(seed=1), [many.path])
    assert "only 0 verification donors" in " ".join(outcome.notes)


def test_changed_classes_need_the_plan(opened, calls, many, home):
    from cellcensus.errors import UsageError

    ctx = opened()
    ingest_study(ctx, many.path)
    train_model(ctx, [many.path])
    text = (many.path / "study.yaml").read_text()
    (many.path / "study.yaml").write_text(text.replace("lobed]", "notched]"))
    many.rows = {
        name: {key.replace("lobed", "notched"): value for key, value in row.items()}
        for name, row in many.rows.items()
    }
    many.rows["P2"]["cell_class"] = "notched"
    many.write()
    with pytest.raises(UsageError, match="notched added; lobed dropped"):
        retrain(ctx, [many.path])
    plan(home, "may_change: {classes: true}")
    outcome = retrain(ctx, [many.path])
    assert _states(ctx) == ["champion", "champion"]  # each set of classes has its own
    assert "first model of these classes" in " ".join(outcome.notes)
