import pytest

from cellcensus.errors import UsageError
from db.predictions import current_predictions
from db.studies import find_study
from flows.ingest import ingest_study
from flows.run import predict_new, run_study
from flows.shadow import beside_champion, shadow_study
from flows.train import train_model


def in_force(ctx):
    with ctx.store.reading() as session:
        study = find_study(session, "made-up")
        return {c.specimen_id: c.model.model_id for c in current_predictions(session, study.key)}


def test_a_candidate_predicts_beside_the_champion_and_is_not_in_force(opened, calls, study):
    ctx = opened(seed=1)
    run_study(ctx, study.path)
    before = in_force(ctx)
    other = opened(seed=2, gate={"shadow": True})
    candidate = train_model(other, [study.path]).model_id
    stages = [outcome.stage for outcome in predict_new(other, study.path)]
    assert stages == ["ingest", "predict", "report", "shadow"]
    assert in_force(ctx) == before
    found = beside_champion(ctx, candidate)
    assert found["specimens"] == 3  # two purified and one unknown; the mixed ones are held out
    assert found["by_class"]["round"]["difference"] == pytest.approx(-20)
    assert found["by_class"]["lobed"]["largest"] == pytest.approx(20)


def test_without_a_candidate_there_is_no_shadow(opened, calls, study):
    ctx = opened()
    ingest_study(ctx, study.path)
    champion = train_model(ctx, [study.path]).model_id
    assert shadow_study(ctx, study.path) is None
    with pytest.raises(UsageError, match="no other model"):
        beside_champion(ctx, champion)
