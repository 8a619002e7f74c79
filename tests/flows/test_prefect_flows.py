"""The flows under a real Prefect server, with its own database, on a port of its own."""

import asyncio
import time

import pytest
from sqlalchemy import select

from db.tables import Prediction, PredictionClass
from flows.run import run_study
from tests.flows.conftest import Folder

pytestmark = pytest.mark.integration


def _ask(question):
    from prefect.client.orchestration import get_client

    async def ask():
        async with get_client() as client:
            return await question(client)

    return asyncio.run(ask())


def _predictions(ctx):
    with ctx.store.reading() as session:
        rows = session.execute(
            select(Prediction.recipe_id, PredictionClass.cell_class, PredictionClass.fraction)
            .join(PredictionClass, PredictionClass.prediction_key == Prediction.key)
            .order_by(Prediction.recipe_id, PredictionClass.position)
        )
        return rows.all()


def _task_runs(state):
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

    one = FlowRunFilter(id=FlowRunFilterId(any_=[state.state_details.flow_run_id]))
    until = time.monotonic() + 20
    while True:  # task runs reach the server as events, a little later
        runs = _ask(lambda client: client.read_task_runs(flow_run_filter=one))
        if len(runs) >= 4 or time.monotonic() > until:
            return runs
        time.sleep(0.5)


def test_a_server_sees_the_same_work_in_few_tasks(connected, opened, calls, study, tmp_path):
    from flows import prefect_flows

    for number in range(20):
        study.add(f"U1{number:02}", "unknown", f"D1{number:02}", "round " * (number + 4))
    study.film("U105", "")
    study.write()
    ctx = opened()
    run_study(ctx, study.path)

    state = prefect_flows.run(str(study.path), home=str(tmp_path / "other"), return_state=True)
    assert state.name == "Quarantined"
    from cellcensus.settings import Settings
    from flows.context import open_context

    with open_context(Settings(home=tmp_path / "other")) as other:
        assert _predictions(other) == _predictions(ctx) != []
    runs = _task_runs(state)
    names = sorted(run.name for run in runs)
    # 25 recordings, 22 predictions and 25 reports in batches of eight at least.
    assert len(names) == 1 + 4 + 3 + 4, names
    assert {name.split("-")[0] for name in names} == {"run", "ingest", "predict", "report"}
    assert not any("U1" in name for name in names)
    found = _ask(lambda client: client.read_artifacts(limit=20))
    (artifact,) = [one for one in found if one.flow_run_id == state.state_details.flow_run_id]
    assert artifact.key == "cellcensus-run"
    assert "U105" in artifact.data


def test_an_unusable_study_fails_with_its_reason_and_is_not_retried(connected, calls, tmp_path):
    from flows import prefect_flows

    began = time.monotonic()
    state = prefect_flows.ingest(
        str(tmp_path / "nothing"), home=str(tmp_path / "home"), return_state=True
    )
    assert state.is_failed()
    assert "nothing" in state.message
    assert time.monotonic() - began < 25


def test_the_nightly_job_goes_on_after_a_bad_study(connected, calls, study, tmp_path):
    from flows import prefect_flows

    good = Folder(tmp_path / "good", name="good")
    home = str(tmp_path / "home")
    state = prefect_flows.nightly(
        [str(tmp_path / "bad"), str(good.path)], home=home, return_state=True
    )
    assert state.is_failed()
    assert "predict: 3 done" in state.message
    again = prefect_flows.nightly([str(good.path)], home=home, return_state=True)
    assert again.is_completed()
    assert "ingest: nothing to do" in again.message
    assert "train" not in again.message
