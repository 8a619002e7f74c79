"""What people ask for from a page is done once, followed while it is, and survives its worker."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from cellcensus.errors import UsageError
from cellcensus.settings import Settings
from db import jobs
from db.tables import Account, AuditEntry, Job, Prediction, Report
from flows import followed
from flows.followed import Followed, JobLostError
from flows.ingest import ingest_study
from flows.jobs import KINDS, ask_for
from flows.worker import Worker

QUICK = {"lease_seconds": 3, "poll_seconds": 0.05}


@pytest.fixture
def settings(home):
    return Settings(home=home, processes=1, training={"seed": 1}, jobs=QUICK)


@pytest.fixture
def asked(ctx, study):
    """Ask for work on the study as Ada; the job's key."""
    ingest_study(ctx, study.path)
    with ctx.store.unit_of_work() as session:
        ada = Account(name="ada", full_name="Ada", role="scientist", password_hash="x")
        session.add(ada)
        session.commit()

    def ask(kind="run", **of):
        with ctx.store.unit_of_work() as session:
            job, _ = ask_for(session, kind, study="made-up", account=ada, **of)
            session.commit()
        return job.key

    return ask


def row(ctx, key):
    with ctx.store.reading() as session:
        return session.get(Job, key)


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("it never came true")


def count(ctx, table):
    with ctx.store.reading() as session:
        return len(session.scalars(select(table)).all())


def test_a_run_is_done_and_said_in_words(ctx, asked, settings):
    key = asked("run")
    lines = []
    assert Worker(settings, tell=lines.append).work(once=True) == 0
    job = row(ctx, key)
    assert job.state == "done"
    assert "predict: 3 done" in job.message
    assert count(ctx, Report) == 7
    assert job.progress == 1
    assert lines[0] == f"job {key}: run of study:made-up"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("run", "rerun")])
def test_every_kind_of_work_on_a_study_can_be_done(ctx, asked, settings, kind):
    first, then = asked("run"), asked(kind)
    Worker(settings).work(once=True)
    assert (row(ctx, first).state, row(ctx, then).state) == ("done", "done")


def test_one_specimen_is_run_again(ctx, asked, settings, study):
    asked("run")
    Worker(settings).work(once=True)
    study.film("U1", "round lobed " * 6)
    before = count(ctx, Prediction)
    key = asked("rerun", specimen_id="U1")
    Worker(settings).work(once=True)
    assert row(ctx, key).state == "done"
    assert count(ctx, Prediction) == before + 1


def test_what_does_not_exist_is_not_queued(asked):
    with pytest.raises(UsageError):
        asked("dance")
    with pytest.raises(UsageError):
        asked("rerun")
    with pytest.raises(UsageError):
        asked("rerun", specimen_id="nobody")


def test_a_failure_says_the_next_step(ctx, asked, settings, study):
    key = asked("predict")
    assert Worker(settings).work(once=True) == 1
    job = row(ctx, key)
    assert job.state == "failed"
    assert "there is no model" in job.message
    assert "Next step:" in job.message
    (study.path / "study.yaml").unlink()
    again = asked("ingest")
    Worker(settings).work(once=True)
    assert "study.yaml" in row(ctx, again).message


def test_a_defect_is_no_traceback_and_does_not_stop_the_worker(ctx, asked, settings, monkeypatch):
    def breaks(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr("flows.report.report_study", breaks)
    bad, good = asked("report"), asked("ingest")
    Worker(settings).work(once=True)
    assert "Next step" in row(ctx, bad).message
    assert "Traceback" not in row(ctx, bad).message
    assert row(ctx, good).state == "done"


def test_a_full_disk_is_named(ctx, asked, settings, study):
    study.film("U1", "full")
    key = asked("ingest")
    Worker(settings).work(once=True)
    assert "make room" in row(ctx, key).message


def test_retraining_is_one_job_for_all_studies_of_the_same_classes(ctx, asked, settings):
    assert asked("retrain") == asked("retrain")
    job = row(ctx, asked("retrain"))
    assert job.subject == "models:lobed|round"
    assert job.details == {"studies": ["made-up"]}


def test_progress_is_written_at_most_once_a_beat_with_the_time_left(ctx, asked, monkeypatch):
    monkeypatch.setattr(followed, "EVERY_S", 0.2)
    key = asked("run")
    with ctx.store.unit_of_work() as session:
        jobs.take(session, process="me", lease_seconds=60)
        session.commit()
    writes = []
    real = jobs.renew
    monkeypatch.setattr(jobs, "renew", lambda *a, **k: writes.append(k) or real(*a, **k))
    with Followed(ctx.store, key, "me", 60) as progress:
        progress.start("finding cells", 400)
        for _ in range(300):
            progress.advance()
            time.sleep(0.002)
        until(lambda: row(ctx, key).progress == 0.75)
    assert len(writes) <= 8
    job = row(ctx, key)
    assert job.label == "finding cells: 300 of 400"
    assert 0 < job.seconds_left < 5


def test_who_lost_its_lease_stops_and_does_not_end_the_other_ones_job(ctx, asked, monkeypatch):
    monkeypatch.setattr(followed, "EVERY_S", 0.05)
    key = asked("run")
    for name, lease in (("old", -1), ("new", 60)):
        with ctx.store.unit_of_work() as session:
            jobs.take(session, process=name, lease_seconds=lease)
            session.commit()
    with Followed(ctx.store, key, "old", 60) as progress, pytest.raises(JobLostError):
        until(lambda: progress.start("more", 2))
    assert row(ctx, key).process == "new"


def start(settings, slow=0.0):
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.flows.workdriver"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "SLOW": str(slow)},
    )
    process.stdin.write(json.dumps(json.loads(settings.model_dump_json())).encode() + b"\n")
    process.stdin.flush()
    return process


@pytest.mark.e2e
def test_a_killed_workers_job_is_taken_again_and_nothing_is_lost(ctx, asked, settings, study):
    study.film("U1", "round lobed " * 7)
    key = asked("run")
    first = start(settings, slow=30)
    until(lambda: row(ctx, key).state == "running" and "finding" in row(ctx, key).label)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    second = start(settings)
    job = until(lambda: row(ctx, key).state == "done" and row(ctx, key))
    assert job.attempts == 2
    assert count(ctx, Report) == 7
    second.communicate(timeout=20)  # closes its input: the server is gone, and so is the worker
    assert second.returncode == 0


@pytest.mark.e2e
def test_a_worker_whose_server_died_puts_its_job_back_at_once(ctx, asked, settings, study):
    study.film("U1", "round lobed " * 7)
    key = asked("run")
    worker = start(settings, slow=60)
    until(lambda: row(ctx, key).state == "running" and "finding" in row(ctx, key).label)
    worker.communicate(timeout=20)
    job = row(ctx, key)
    assert (job.state, job.attempts) == ("waiting", 0)
    with ctx.store.reading() as session:
        actions = session.scalars(select(AuditEntry.action)).all()
    assert [action for action in actions if action.startswith("job.")] == ["job.asked"]
