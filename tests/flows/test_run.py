import pytest
from sqlalchemy import select

from db.tables import CellFile, Finding, ModelVersion, Prediction, Report, Specimen
from flows.registry import list_models
from flows.retrain import retrain
from flows.run import run_study
from tests.flows.conftest import Folder


@pytest.fixture
def ctx(opened, calls, address):
    """The main job is tested on both databases."""
    return opened(database_url=address)


def _rows(ctx):
    tables = (Specimen, CellFile, ModelVersion, Prediction, Report, Finding)
    with ctx.store.reading() as session:
        return [len(session.scalars(select(table)).all()) for table in tables]


def test_everything_then_nothing(ctx, study, calls):
    outcomes = run_study(ctx, study.path)
    assert [o.stage for o in outcomes] == ["ingest", "train", "predict", "report"]
    assert [o.exit_code for o in outcomes] == [0, 0, 0, 0]
    assert outcomes[-1].report.is_file()
    before, times = _rows(ctx), dict(calls)
    again = run_study(ctx, study.path)
    assert all(o.done == 0 for o in again)
    assert _rows(ctx) == before
    assert calls == times


def test_a_quarantined_specimen_is_told_once(ctx, study):
    study.film("U1", "")
    outcomes = run_study(ctx, study.path)
    assert [o.exit_code for o in outcomes] == [3, 0, 0, 0]
    assert "U1" in outcomes[-1].report.read_text()


def test_a_study_that_cannot_teach_is_predicted_by_the_champion(ctx, study, tmp_path):
    run_study(ctx, study.path)
    other = Folder(tmp_path / "other", name="only-unknown")
    other.rows = {"U1": other.rows["U1"]}
    other.write()
    outcomes = run_study(ctx, other.path)
    assert outcomes[2].model_id == list_models(ctx)[0]["id"]
    assert outcomes[2].done == 1
    assert "predicted by the champion" in outcomes[1].notes[0]


def test_without_any_champion_it_fails_and_still_reports(ctx, tmp_path):
    other = Folder(tmp_path / "other", name="only-unknown")
    other.rows = {"U1": other.rows["U1"]}
    other.write()
    outcomes = run_study(ctx, other.path)
    assert [o.stage for o in outcomes] == ["ingest", "train", "report"]
    assert outcomes[1].exit_code == 1
    assert outcomes[-1].report.is_file()


def test_two_studies_of_a_home_keep_their_own_models(ctx, study, tmp_path, calls):
    run_study(ctx, study.path)
    other = Folder(tmp_path / "other", name="another")
    other.film("M1", "round " * 10)
    run_study(ctx, other.path)
    assert [model["state"] for model in list_models(ctx)] == ["retired", "champion"]
    times = dict(calls)
    assert all(o.done == 0 for o in run_study(ctx, study.path))
    assert calls == times


def test_after_a_judged_promotion_the_champion_predicts(opened, calls, study):
    weak = opened(seed=2)
    run_study(weak, study.path)
    good = opened(seed=1, gate={"fewest_donors": 3})
    for number in range(3):
        study.add(f"M{number + 3}", "mixed", f"D2{number}", "round " * (number + 2) + "lobed " * 5)
    study.write()
    run_study(weak, study.path)  # ingests what is new
    outcome = retrain(good, [study.path])
    assert list_models(good)[-1]["state"] == "champion"
    assert run_study(weak, study.path)[2].model_id == outcome.model_id
