"""A Prefect server that goes away while a run is under way, and one that is not there at all."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.run import run_study
from tests.flows.conftest import calls, home, opened, study
from tests.flows.homes import content_of, files_of
from tests.flows.test_faults import assert_whole
from tests.prefectserver import PrefectServer

__all__ = ["calls", "home", "opened", "study"]

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
PATIENCE_S = 300


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "prefect"
    folder.mkdir()
    server = PrefectServer(folder, patience_s=60)
    try:
        server.start()
    except TimeoutError:
        pytest.skip("the Prefect server did not start in a minute")
    yield server
    server.kill()


@pytest.fixture
def undisturbed(opened, calls, study, home, tmp_path):
    ctx = opened()
    run_study(ctx, study.path)
    ctx.close()
    other = home.rename(tmp_path / "undisturbed")
    return content_of(other), files_of(other)


def start(module, *arguments, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
    )


def ended(process):
    try:
        return process.communicate(timeout=PATIENCE_S)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        pytest.fail("the run neither ended nor went on: " + process.communicate()[0][-3000:])


def test_a_server_that_dies_in_the_middle_leaves_nothing_half_done(
    server, study, home, undisturbed, tmp_path
):
    mark = tmp_path / "mark"
    where = (study.path, home, server.api, tmp_path / "client")
    process = start("tests.flows.flowdriver", *where, mark)
    until = time.monotonic() + 120
    while not mark.exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < until
        time.sleep(0.1)
    server.kill()
    mark.unlink()
    ended(process)
    assert_whole(home)
    server.start()
    again = start("tests.flows.flowdriver", *where)
    told = ended(again)
    assert again.returncode == 0, told
    assert (content_of(home), files_of(home)) == undisturbed
    assert not list(home.rglob(".partial-*"))


def test_the_command_needs_no_server(study, home):
    process = start(
        "tests.flows.driver", study.path, home, "run", PREFECT_API_URL="http://127.0.0.1:1/api"
    )
    told = ended(process)
    assert process.returncode == 0, told
    assert len(content_of(home)["report"]) == 7
    assert (home / "reports" / "made-up" / "index.html").is_file()


def test_the_command_does_not_even_import_prefect():
    text = (
        "import sys, flows.run, flows.retrain, flows.inbox, flows.housekeeping, cli.main; "
        "sys.exit('prefect' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", text], cwd=ROOT, check=False).returncode == 0
