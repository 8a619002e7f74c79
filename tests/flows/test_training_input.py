"""What people correct never teaches a model: neither by name nor in effect."""

import ast
from pathlib import Path

import pytest
from sqlalchemy import select

from db.tables import Account, CellCorrection, ModelVersion
from flows.ingest import ingest_study
from flows.predict import predict_study
from flows.review import Actor, correct, open_bench, see_bin, sign
from flows.train import train_model
from tests.flows import standins

ROOT = Path(__file__).parents[2]
# Where training and what it is fed with are written.
TEACHING = (
    *sorted((ROOT / "models").rglob("*.py")),
    *(
        ROOT / "flows" / f"{name}.py"
        for name in ("train", "together", "retrain", "bags", "gate", "identity")
    ),
)
FORBIDDEN = {"CellCorrection", "corrections", "db.review", "flows.review", "flows.recounted"}


@pytest.mark.parametrize("source", TEACHING, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_that_teaches_reads_corrections(source):
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        names = {alias.name for alias in getattr(node, "names", [])} if _imports(node) else set()
        names |= {getattr(node, "module", None), getattr(node, "attr", None)}
        names |= {getattr(node, "id", None)}
        assert not names & FORBIDDEN


def _imports(node):
    return isinstance(node, ast.Import | ast.ImportFrom)


def test_training_is_given_the_same_after_corrections(ctx, study, monkeypatch):
    ingest_study(ctx, study.path)
    train_model(ctx, [study.path])
    predict_study(ctx, study.path)
    given = []
    train = standins.train

    def remember(bags, classes, **options):
        given.append(
            [(b.specimen_id, b.known, b.features.tobytes(), b.crops.tobytes()) for b in bags]
        )
        return train(bags, classes, **options)

    monkeypatch.setattr("models.training.train", remember)
    ctx.settings = ctx.settings.model_copy(
        update={"training": ctx.settings.training.model_copy(update={"seed": 3})}
    )
    train_model(ctx, [study.path])
    recipes = _recipes(ctx)
    _correct_everything(ctx)
    assert train_model(ctx, [study.path]).done == 0  # the same recipe: nothing new to learn from
    ctx.settings = ctx.settings.model_copy(
        update={"training": ctx.settings.training.model_copy(update={"seed": 5})}
    )
    train_model(ctx, [study.path])
    assert given[1] == given[0]
    assert _recipes(ctx)[-1] == recipes[-1]


def _recipes(ctx):
    """What each model learned from."""
    with ctx.store.reading() as session:
        models = session.scalars(select(ModelVersion).order_by(ModelVersion.key)).all()
    return [model.recipe["inputs"] for model in models]


def _correct_everything(ctx):
    with ctx.store.unit_of_work() as session:
        row = Account(name="ada", full_name="Ada R.", role="reviewer", password_hash="x")
        session.add(row)
        session.commit()
        ada = Actor(row.key, "ada", "Ada R.", "reviewer")
    for specimen_id in ("P1", "M1", "U1"):
        at = (ctx.store, ctx.settings, ada, "made-up", specimen_id)
        bench = open_bench(ctx.store, ctx.settings, "made-up", specimen_id)
        cells = [cell.cell_id for cell in bench.groups[0].cells]
        seen = correct(*at, cell_ids=cells, after="lobed", seen=bench.seen)
        seen = see_bin(ctx.store, ada, "made-up", specimen_id, seen=seen)
        sign(*at, meaning="released", seen=seen)
    with ctx.store.reading() as session:
        assert len(session.scalars(select(CellCorrection)).all()) > 10
