"""The flows on a Dask cluster of two worker processes, under a real Prefect server."""

import re
import sys
from importlib.util import find_spec

import pytest
from prefect.task_runners import ThreadPoolTaskRunner

from cellcensus.errors import UsageError
from cellcensus.settings import Settings
from flows.context import open_context
from flows.run import run_study
from flows.task_runners import task_runner
from tests.flows.homes import content_of

dask = pytest.mark.skipif(
    find_spec("prefect_dask") is None,
    reason="prefect-dask is not installed: pip install 'cellcensus[scale]'",
)


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    from distributed import LocalCluster

    from flows import prefect_flows  # before the settings change: it reads them once

    assert prefect_flows
    monkeypatch.setenv("CELLCENSUS_TEST_LOG", str(tmp_path / "log"))
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        local_directory=tmp_path / "dask",
        preload="tests.flows.dask_worker",
    ) as cluster:
        monkeypatch.setenv("CELLCENSUS_CONDUCTOR__RUNNER", "dask")
        monkeypatch.setenv("CELLCENSUS_CONDUCTOR__DASK_ADDRESS", cluster.scheduler_address)
        yield cluster


@pytest.fixture
def expected(opened, calls, study):
    """What the run of a study of 26 specimens leaves in the database, without Prefect and Dask."""
    for number in range(20):
        study.add(f"U1{number:02}", "unknown", f"D1{number:02}", "round " * (number + 4))
    study.write()
    ctx = opened()
    run_study(ctx, study.path)
    return content_of(ctx.home)


def _run(study, home):
    from flows import prefect_flows

    flow = prefect_flows.run.with_options(task_runner=task_runner(Settings()))
    state = flow(str(study.path), home=str(home), return_state=True)
    assert state.is_completed(), state
    with open_context(Settings(home=home)):
        return content_of(home)


def _lines(tmp_path):
    return [line.split() for line in (tmp_path / "log").read_text().splitlines()]


@dask
@pytest.mark.integration
def test_two_workers_of_a_cluster_do_what_one_process_does(
    connected, cluster, expected, study, tmp_path
):
    found = _run(study, tmp_path / "other")
    assert _results(found) == _results(expected)
    lines = _lines(tmp_path)
    assert len({worker for worker, _ in lines}) == 2
    assert len(lines) == len({name for _, name in lines}) == 26


@dask
@pytest.mark.integration
def test_a_worker_that_dies_is_made_up_for(connected, cluster, expected, study, tmp_path):
    (tmp_path / "log.kill").write_text("U105")
    found = _run(study, tmp_path / "other")
    assert not (tmp_path / "log.kill").exists()
    assert _results(found) == _results(expected)


def _results(content):
    """Tables without keys: a cluster stores results in the order they come."""
    return {
        name: sorted(_without_keys(row) for row in rows)
        for name, rows in content.items()
        if name in ("specimen", "cell_file", "prediction", "prediction_class", "model_version")
    }


def _without_keys(row):
    return re.sub(r"'(\w*_)?key': \d+,? ?", "", row)


def test_without_a_cluster_batches_are_done_one_by_one():
    assert isinstance(task_runner(Settings()), ThreadPoolTaskRunner)


def test_a_cluster_without_its_package_is_refused_in_words(monkeypatch):
    monkeypatch.setitem(sys.modules, "prefect_dask", None)
    with pytest.raises(UsageError, match="not installed") as caught:
        task_runner(Settings(conductor={"runner": "dask"}))
    assert "cellcensus[scale]" in caught.value.next_step


@dask
def test_without_an_address_a_cluster_is_made_for_each_run():
    runner = task_runner(Settings(processes=3, conductor={"runner": "dask"}))
    assert runner.cluster_kwargs["n_workers"] == 3
