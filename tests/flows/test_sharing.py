"""Several machines at one study: real processes, one of which is killed or falls silent."""

import json
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from db.store import Store
from db.tables import CellFile, Lease, ModelVersion, Prediction, Report, Run, Specimen
from tests.flows.hosts import Hosts

pytestmark = pytest.mark.integration

LEASE_S = 3


class Machines(Hosts):
    """Processes that work on one study, each as a machine of its own."""

    def __init__(self, study, home, address):
        log = home.parent / f"{home.name}.log"
        super().__init__("tests.flows.machine", study, home, address, log=log, lease_s=LEASE_S)

    def finish(self, host):
        out, err = self.processes[host].communicate(timeout=120)
        assert self.processes[host].returncode == 0, err
        return json.loads(out)

    def lines(self, *begin):
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [tuple(line.split()) for line in lines if line.startswith(" ".join(begin))]

    def wait_for(self, *begin, many=1):
        until = time.monotonic() + 60
        while len(self.lines(*begin)) < many:
            assert time.monotonic() < until, self.lines()
            assert all(p.poll() in (None, 0) for p in self.processes.values())
            time.sleep(0.02)

    def kill_all(self):
        for process in self.processes.values():
            process.kill()
            process.communicate()


@pytest.fixture
def machines(study, tmp_path, address):
    for number in range(20):
        study.add(f"U1{number:02}", "unknown", f"D1{number:02}", "round " * (number + 4))
    study.write()
    found = Machines(study.path, tmp_path / "home", address)
    yield found
    found.kill_all()


def everything_is_there_once(machines):
    """Each specimen's results, one of each, and nothing left behind; the runs' states."""
    store = Store(machines.address)
    with store.reading() as session:
        names = session.scalars(select(Specimen.specimen_id)).all()
        assert len(names) == len(set(names)) == 26
        cell_files = session.scalars(select(CellFile)).all()
        assert Counter(row.specimen_key for row in cell_files) == Counter(range(1, 27))
        assert all(row.current for row in cell_files)
        predictions = session.scalars(select(Prediction)).all()
        assert len(predictions) == len({row.specimen_key for row in predictions}) == 25
        reports = session.scalars(select(Report)).all()
        assert len(reports) == len({row.specimen_key for row in reports}) == 27
        assert len(session.scalars(select(ModelVersion)).all()) == 1
        assert session.scalars(select(Lease)).all() == []
        states = Counter(session.scalars(select(Run.state)))
        paths = [row.path for row in (*cell_files, *predictions, *reports)]
    store.close()
    assert all((machines.home / path).exists() for path in paths)
    return states


def test_two_machines_share_the_specimens_of_a_study(machines):
    for host in ("one", "two"):
        machines.start(host)
    outcomes = [machines.finish(host) for host in ("one", "two")]
    begun = machines.lines("begin")
    assert len(begun) == 26  # nobody began what the other was at
    shares = Counter(host for _, host, _ in begun)
    assert min(shares["one"], shares["two"]) >= 3, shares
    for stage, number in (("ingest", 26), ("train", 1)):
        done = [o["done"] for each in outcomes for o in each if o["stage"] == stage]
        assert sum(done) == number, stage
    for each in outcomes:  # each knows of everything when it ends
        assert each[0]["done"] + each[0]["skipped"] == 26
        assert [o["exit_code"] for o in each] == [0] * 4
    assert everything_is_there_once(machines) == {"done": 8}


def test_what_a_killed_machine_was_at_is_done_by_another(machines):
    for host in ("one", "two"):
        machines.start(host)
    machines.wait_for("end one", many=3)
    machines.processes["one"].send_signal(signal.SIGKILL)
    machines.processes.pop("one").communicate()
    machines.finish("two")
    assert machines.lines("begin two")
    assert everything_is_there_once(machines) == {"abandoned": 1, "done": 4}
    twice = [name for name, n in Counter(s for _, _, s in machines.lines("begin")).items() if n > 1]
    assert len(twice) <= 1  # at most the one it was at


def test_a_machine_that_lost_its_lease_stores_nothing(machines):
    machines.start("silent")
    machines.wait_for("begin silent")
    machines.start("two")
    machines.finish("two")
    ((_, _, lost),) = machines.lines("begin silent")
    assert ("begin", "two", lost) in machines.lines("begin two")
    states = everything_is_there_once(machines)
    assert states == {"abandoned": 1, "done": 4}
    Path(f"{machines.log}.go").touch()
    process = machines.processes.pop("silent")
    _, err = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "LeaseLostError" in err
    assert machines.lines("end silent") == [("end", "silent", lost)]
    assert everything_is_there_once(machines) == {"failed": 1, "done": 4}
