import os
import signal
import time

import pytest

from cellcensus.settings import Settings
from db.accounts import add_account
from db.schema import upgrade
from db.store import Store
from db.studies import record_study
from db.tables import Job
from flows.jobs import ask_for
from tests.web.conftest import make_study
from web import working
from web.working import WorkerProcess

pytestmark = pytest.mark.e2e


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError("it never came true")


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_worker_does_what_was_asked_is_replaced_and_ends_with_the_server(tmp_path, monkeypatch):
    monkeypatch.setattr(working, "_PAUSE_S", 0.1)
    settings = Settings(home=tmp_path / "home", jobs={"poll_seconds": 0.1, "lease_seconds": 3})
    upgrade(settings.database_address())
    store = Store(settings.database_address())
    with store.unit_of_work() as session:
        record_study(session, make_study())
        asker = add_account(
            session, name="ada", full_name="Ada", role="scientist", password="a long password"
        )
        job, _ = ask_for(session, "ingest", study="demo", account=asker)
        session.commit()

    def ended():
        with store.reading() as session:
            found = session.get(Job, job.key)
            return found if found.state == "failed" else None

    with WorkerProcess(settings) as worker:
        # The study's folder is not there, which is said with the next step.
        assert "Next step" in until(ended).message
        first = worker.pid
        os.kill(first, signal.SIGKILL)
        second = until(lambda: worker.pid if worker.pid not in (None, first) else None)
    until(lambda: not alive(second), 10)
    store.close()


def test_no_worker_where_the_settings_want_none(tmp_path):
    settings = Settings(home=tmp_path, jobs={"worker": False})
    with working.working(settings):
        assert not list(tmp_path.iterdir())
