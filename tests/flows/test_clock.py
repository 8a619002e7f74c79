"""A clock that is set back: nothing stays locked, leased or unsent, and results are the same."""

import os
from datetime import timedelta

import pytest
from sqlalchemy import select

from cellcensus.settings import AccessSettings
from db import accounts, jobs, sessions
from db.schema import upgrade
from db.signin import confirm_password
from db.store import Store
from db.tables import LoginSession, Run
from db.types import utc_now
from flows.deliver import deliver_due
from flows.housekeeping import keep_house
from flows.registry import list_models, rollback
from flows.report import report_study
from flows.retrain import retrain
from flows.run import run_study
from tests.clock import Clock
from tests.db.conftest import study as rows_study
from tests.flows.homes import content_of, files_of
from tests.hashes import quick_hashes
from tests.releases import release, settings_for

__all__ = ["quick_hashes", "rows_study"]

DAY = timedelta(days=1)
ACCESS = AccessSettings(attempts=2, lock_seconds=60, longest_lock_minutes=5, idle_minutes=30)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


@pytest.fixture
def store(address):
    upgrade(address)
    store = Store(address)
    yield store
    store.close()


@pytest.fixture
def ada(store, quick_hashes):
    with store.unit_of_work() as session:
        account = accounts.add_account(
            session, name="ada", full_name="Ada", role="technician", password="a long password"
        )
        session.commit()
    return account


def take(store, process):
    with store.unit_of_work() as session:
        job = jobs.take(session, process=process, lease_seconds=60)
        session.commit()
    return job


def test_a_job_of_a_dead_worker_is_taken_though_its_lease_ends_tomorrow(
    store, ada, clock, monkeypatch
):
    monkeypatch.setattr("db.leases.now_of", lambda _session: utc_now())  # PostgreSQL's own clock
    with store.unit_of_work() as session:
        jobs.ask(session, kind="run", subject="study:x", account=ada)
        session.commit()
    clock.ahead = DAY
    assert take(store, "dead") is not None
    clock.ahead = timedelta()
    with store.reading() as session:
        assert jobs.is_anything_due(session, 60)
    assert take(store, "next").process == "next"
    assert take(store, "third") is None  # the new lease holds


def test_an_idle_session_does_not_live_a_day_longer(store, ada, clock):
    clock.ahead = DAY
    with store.unit_of_work() as session:
        begun = sessions.begin_session(session, ada, ACCESS)
        session.commit()
    clock.ahead = DAY - timedelta(minutes=2)  # a small step is no reason to sign in again
    with store.reading() as session:
        _, found = sessions.find_session(session, begun.token, ACCESS)
    clock.ahead = timedelta()
    with store.reading() as session:
        assert sessions.find_session(session, begun.token, ACCESS) is None
    assert sessions.is_touch_due(found, ACCESS)
    with store.reading() as session:
        assert session.scalars(select(LoginSession)).one().ended_at is None


def test_an_account_is_not_locked_for_a_day(store, ada, clock):
    def confirm(password):
        with store.unit_of_work() as session:
            right = confirm_password(session, ada.key, password, settings=ACCESS)
            session.commit()
        return right

    clock.ahead = DAY
    assert [confirm("wrong"), confirm("wrong"), confirm("a long password")] == [False] * 3
    clock.ahead = timedelta()
    assert confirm("a long password")


def test_a_report_to_send_does_not_wait_a_day(store, rows_study, clock, tmp_path):
    folder = tmp_path / "out"
    settings = settings_for(tmp_path, {"lis": {"kind": "file", "folder": folder}})
    clock.ahead = DAY
    release(store, settings, rows_study)
    clock.ahead = timedelta()
    folder.mkdir()
    assert len(deliver_due(store, settings).sent) == 1


def test_copies_of_the_future_go_first(opened, calls, clock):
    ctx = opened(housekeeping={"backups": 2})
    for ahead in (DAY, 2 * DAY):
        keep_house(ctx, now=utc_now() + ahead)
    made = ctx.home / keep_house(ctx).notes[0].removeprefix("database copied to ")
    kept = sorted((ctx.home / "backups").iterdir())
    assert len(kept) == 2
    assert made in kept


@pytest.fixture
def donors(study):
    for number in range(5):
        study.add(f"M1{number}", "mixed", f"D1{number}", "round " * (number + 3) + "lobed " * 5)
    study.write()
    return study


def _film(donors, content, moment):
    donors.film("U1", content)
    os.utime(donors.path / "recordings" / "U1.avi", (moment, moment))


def _everything(opened, donors, clock, between):
    _film(donors, "round " * 5 + "lobed " * 5, 1_000_000)
    run_study(opened(seed=2), donors.path)
    clock.ahead += between
    _film(donors, "round " * 4 + "lobed " * 8, 900_000)
    retrain(opened(seed=1), [donors.path])
    run_study(opened(seed=1), donors.path)
    clock.ahead += between
    rollback(opened(seed=1))
    ctx = opened(seed=1)
    report_study(ctx, donors.path)
    states = [model["state"] for model in list_models(ctx)]
    with ctx.store.reading() as session:
        runs = session.scalars(select(Run).order_by(Run.key)).all()
    return states, runs


def test_results_are_ordered_by_what_came_after_what(opened, calls, donors, home, clock, tmp_path):
    states, _ = _everything(opened, donors, clock, timedelta())
    undisturbed = home.rename(tmp_path / "undisturbed")
    clock.ahead = timedelta()
    again, runs = _everything(opened, donors, clock, -2 * DAY)
    assert runs[-1].started_at < runs[0].started_at - 3 * DAY
    assert again == states == ["champion", "retired"]
    assert content_of(home) == content_of(undisturbed)
    assert files_of(home) == files_of(undisturbed)
