import pytest

from cellcensus.errors import UsageError
from db.tables import ModelVersion
from flows.ingest import ingest_study
from flows.plan import plan_study
from flows.train import train_model


def test_without_a_model_there_is_no_plan(ctx, study):
    with pytest.raises(UsageError, match="foresees"):
        plan_study(ctx, study.path)


def test_the_plan_is_the_champions(ctx, study):
    ingest_study(ctx, study.path)
    model_id = train_model(ctx, [study.path]).model_id
    course = [{"stage": "purified", "part": 0.25, "error": 0.09}]
    told = {"classes": ["round", "lobed"], "plan": {"donors": 24}, "course": course}
    with ctx.store.unit_of_work() as session:
        model = session.query(ModelVersion).filter_by(model_id=model_id).one()
        model.card = {**model.card, **told}
        session.commit()
    plan = plan_study(ctx, study.path)
    assert (plan["model"], plan["donors"]) == (model_id, 24)
    assert plan["course"] == course
