"""One retraining at a time, whichever machine it is begun on."""

import json
import signal
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from cellcensus.errors import LeaseLostError
from db import leases
from db.store import Store
from db.tables import Decision, Lease, ModelVersion, Run
from flows.housekeeping import keep_house
from flows.ingest import ingest_study
from flows.train import train_model
from flows.turns import one_at_a_time
from tests.flows.hosts import Hosts

# A machine under load may be late with its sign of life by several seconds.
LEASE_S = 20


class Machines(Hosts):
    """Processes that retrain, each as a machine of its own."""

    def __init__(self, study, home, address):
        log = home.parent / "log"
        super().__init__("tests.flows.retrainer", study, home, address, log=log, lease_s=LEASE_S)

    def go(self):
        Path(f"{self.log}.go").touch()

    def training(self):
        return self.log.read_text().split() if self.log.exists() else []

    def finish(self, host):
        out, err = self.processes.pop(host).communicate(timeout=240)
        assert not err, err
        return json.loads(out)

    def rows(self, table):
        store = Store(self.address)
        with store.reading() as session:
            found = session.scalars(select(table).order_by(table.key)).all()
        store.close()
        return found

    def wait_until(self, holds):
        until = time.monotonic() + 180
        while not holds():
            assert time.monotonic() < until
            for process in self.processes.values():
                assert process.poll() is None, process.communicate()[1]
            time.sleep(0.05)

    def retrainings(self, state="running"):
        return [run for run in self.rows(Run) if (run.stage, run.state) == ("retrain", state)]


@pytest.fixture
def machines(opened, calls, study, home, address):
    for number in range(4):
        study.add(f"M1{number}", "mixed", f"D1{number}", "round " * (number + 3) + "lobed " * 5)
    study.write()
    with opened(seed=2, database_url=address) as ctx:
        ingest_study(ctx, study.path)
        train_model(ctx, [study.path])
    found = Machines(study.path, home, address)
    yield found
    for process in found.processes.values():
        process.kill()
        process.communicate()


def test_a_second_retraining_waits_and_is_told_for_whom(machines):
    machines.start("one")
    machines.wait_until(machines.training)
    machines.start("two")
    machines.wait_until(lambda: len(machines.retrainings()) == 2)
    time.sleep(1)  # it would begin within half a second if it did not wait
    assert machines.training() == ["train", "one"]
    machines.go()
    first, second = machines.finish("one"), machines.finish("two")
    assert not [note for note in first["notes"] if "waited" in note]
    assert any(note.startswith("waited for the retrain of one") for note in second["notes"]), second
    assert (first["done"], second["done"], second["skipped"]) == (1, 0, 1)
    assert [row.action for row in machines.rows(Decision)] == ["first", "retrain"]
    assert len(machines.rows(ModelVersion)) == 2
    assert len(machines.retrainings("done")) == 2
    assert machines.rows(Lease) == []


def test_the_turn_of_a_machine_that_died_is_over(machines):
    machines.start("one")
    machines.wait_until(machines.training)
    machines.start("two")
    machines.wait_until(lambda: len(machines.retrainings()) == 2)
    machines.processes["one"].send_signal(signal.SIGKILL)
    machines.processes.pop("one").communicate()
    machines.go()
    second = machines.finish("two")
    assert (second["done"], machines.training()) == (1, ["train", "one", "train", "two"])
    assert [row.action for row in machines.rows(Decision)] == ["first", "retrain"]
    assert len(machines.retrainings("abandoned")) == 1
    assert machines.rows(Lease) == []


def test_who_lost_its_turn_decides_nothing(opened, calls, address):
    ctx = opened(database_url=address)
    with one_at_a_time(ctx, "retrain") as turn, ctx.store.unit_of_work() as session:
        leases.check_alive(session, turn.run)
        leases.bury(session, Run.key == turn.run)
        with pytest.raises(LeaseLostError):
            leases.check_alive(session, turn.run)


def test_a_turn_stands_in_the_way_of_no_stage(opened, calls, study, address):
    ctx = opened(database_url=address)
    with one_at_a_time(ctx, "retrain") as turn, opened(database_url=address) as other:
        assert ingest_study(other, study.path).done == 6
        assert keep_house(other).exit_code == 0
        with ctx.store.reading() as session:
            assert session.get_one(Run, turn.run).state == "running"


def test_the_same_again_after_an_error(opened, calls, address):
    ctx = opened(database_url=address)
    with pytest.raises(ZeroDivisionError), one_at_a_time(ctx, "retrain"):
        raise ZeroDivisionError
    with one_at_a_time(ctx, "retrain") as turn:
        assert turn.waited == []
    with ctx.store.reading() as session:
        assert [run.state for run in session.scalars(select(Run))] == ["failed", "done"]
