"""A power cut at any instant, then the same command: the same content as without it."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from db.schema import migrate
from db.store import Store, open_engine
from db.tables import Run
from tests.flows.homes import content_of, files_of

pytestmark = pytest.mark.integration

KILLS = int(os.environ.get("CELLCENSUS_TEST_KILLS", "3"))


def _start(study, home, what, *address):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.flows.driver", str(study), str(home), what, *address],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def _finish(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def _prepare(home, database=None):
    """A home whose plan keeps donors apart; it begins with ``database``, of an earlier version."""
    home.mkdir()
    (home / "change_plan.yaml").write_text(
        "verification: {share: 0.3, fewest: 1}\nacceptance: {fewest_donors: 3}\n"
    )
    if database is not None:
        shutil.copyfile(database, home / "cellcensus.sqlite")


def _undisturbed(study, home):
    """How long the work lasts without a kill, s."""
    process = _start(study, home, "all")
    assert process.stdout.readline() == "ready\n"
    began = time.monotonic()
    _finish(process)
    return time.monotonic() - began


def _kill(study, home, address, after):
    """Begin the work and kill it; whether there was something left to kill."""
    process = _start(study, home, "all", address)
    assert process.stdout.readline() == "ready\n"
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


@pytest.fixture
def donors(study):
    """A study with enough mixed donors to judge a retraining by."""
    for number in range(5):
        study.add(f"M1{number}", "mixed", f"D1{number}", "round " * (number + 3) + "lobed " * 5)
    study.write()
    return study.path


@pytest.fixture
def earlier(tmp_path):
    """The SQLite file of a home that the first version of the schema made."""
    file = tmp_path / "earlier.sqlite"
    engine = open_engine(f"sqlite:///{file}")
    with engine.execution_options(begin="IMMEDIATE").begin() as connection:
        migrate(connection, "0001")
    engine.dispose()
    return file


def test_killed_at_any_instant_it_ends_as_if_undisturbed(donors, earlier, tmp_path, address):
    sqlite = address.startswith("sqlite")
    undisturbed = tmp_path / "undisturbed"
    _prepare(undisturbed)
    lasts = _undisturbed(donors, undisturbed)
    expected = content_of(undisturbed)
    assert len(expected["model_version"]) == 2
    assert expected["verification_donor"]
    draw = random.Random(7)
    killed = 0
    for number in range(KILLS if sqlite else 1):
        home = tmp_path / f"killed-{number}"
        _prepare(home, earlier if sqlite and number % 2 else None)
        if sqlite:
            address = f"sqlite:///{home / 'cellcensus.sqlite'}"
        killed += sum(_kill(donors, home, address, draw.uniform(0, lasts)) for _ in range(2))
        _finish(_start(donors, home, "all", address))
        assert content_of(home, address) == expected
        assert files_of(home) == files_of(undisturbed)
        assert not list(home.rglob(".partial-*"))
    assert killed > 0


def test_the_same_command_twice_at_once_does_everything_once(study, tmp_path):
    homes = tmp_path / "one", tmp_path / "two"
    _finish(_start(study.path, homes[0], "run"))
    for process in [_start(study.path, homes[1], "run") for _ in range(3)]:
        _finish(process)
    assert content_of(homes[1]) == content_of(homes[0])
    assert files_of(homes[1]) == files_of(homes[0])
    store = Store(f"sqlite:///{homes[1] / 'cellcensus.sqlite'}")
    with store.reading() as session:
        runs = session.scalars(select(Run)).all()
    assert len(runs) == 12
    done = [run.counts["done"] for run in runs if run.stage == "ingest"]
    assert sorted(done) == [0, 0, 6]
    store.close()


def test_the_same_retraining_and_reports_at_once_are_decided_and_written_once(donors, tmp_path):
    homes = tmp_path / "one", tmp_path / "two"
    for home in homes:
        _prepare(home)
        _finish(_start(donors, home, "run"))
    for what in ("retrain", "report"):
        _finish(_start(donors, homes[0], what))
        for process in [_start(donors, homes[1], what) for _ in range(3)]:
            _finish(process)
    content = content_of(homes[1])
    assert len(content["decision"]) == 2
    assert content == content_of(homes[0])
    assert files_of(homes[1]) == files_of(homes[0])
