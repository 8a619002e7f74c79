"""The counting of power cuts and faults, itself: it finds what was lost."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.interrupted import Station
from tests.flows.homes import content_of, files_of

ROOT = Path(__file__).parents[2]


@pytest.mark.integration
def test_every_stage_is_disturbed_and_the_table_is_printed():
    # A process of its own: it puts stand-ins in place for good, and forks.
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.resilience", "--kills", "6", "--faults", "12"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split() for line in done.stdout.splitlines()[1:7]]
    names = ["migration", "ingest", "train", "predict", "report", "retrain"]
    assert [row[0] for row in rows] == names
    assert sum(int(row[2]) for row in rows) >= 6
    assert all(int(row[3]) == 2 for row in rows)


def test_what_is_lost_is_noticed(tmp_path):
    from db.schema import upgrade
    from db.store import Store
    from db.tables import Study

    before, home = tmp_path / "before", tmp_path / "home"
    (before / "reports").mkdir(parents=True)
    address = f"sqlite:///{before / 'cellcensus.sqlite'}"
    upgrade(address)
    station = Station("report", before, content_of(before), files_of(before), 1.0)
    station.again(home)
    assert station.differs(home) == ""
    (home / ".partial-x").touch()
    assert "temporary" in station.differs(home)
    (home / "reports" / "stray.html").touch()
    assert station.differs(home) == "the files differ"
    station.again(home)
    store = Store(f"sqlite:///{home / 'cellcensus.sqlite'}")
    with store.unit_of_work() as session:
        session.add(Study(name="half"))
        session.commit()
    store.close()
    assert station.differs(home) == "the database differs"
