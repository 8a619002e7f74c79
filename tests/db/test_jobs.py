import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from db import jobs
from db.tables import Account, AuditEntry, Job
from db.types import utc_now


@pytest.fixture
def account(store):
    with store.unit_of_work() as session:
        made = Account(name="ada", full_name="Ada", role="scientist", password_hash="x")
        session.add(made)
        session.commit()
    return made


def ask(store, account, kind="run", subject="study:demo"):
    with store.unit_of_work() as session:
        job, new = jobs.ask(session, kind=kind, subject=subject, account=account)
        session.commit()
    return job, new


def take(store, process="a", lease=60):
    with store.unit_of_work() as session:
        job = jobs.take(session, process=process, lease_seconds=lease)
        session.commit()
    return job


def row(store, key):
    with store.reading() as session:
        return session.get(Job, key)


def renew(store, key, process="a"):
    with store.unit_of_work() as session:
        kept = jobs.renew(
            session,
            key,
            process=process,
            lease_seconds=60,
            progress=0.5,
            label="finding cells",
            seconds_left=12,
        )
        session.commit()
    return kept


def finish(store, key, process="a", state="done", message="ok"):
    with store.unit_of_work() as session:
        held = jobs.end(session, key, process=process, state=state, message=message)
        session.commit()
    return held


def test_two_clicks_are_one_job(store, account):
    first, new = ask(store, account)
    again, second = ask(store, account)
    assert (new, second) == (True, False)
    assert first.key == again.key
    assert ask(store, account, kind="report")[1]
    assert ask(store, account, subject="study:other")[1]
    take(store)
    assert not ask(store, account)[1]  # running is standing too
    finish(store, first.key)
    assert ask(store, account)[1]  # asked again after it ended


def test_clicks_at_the_same_moment_are_one_job(store, account):
    together, made = threading.Barrier(6), []

    def click():
        together.wait()
        made.append(ask(store, account))

    threads = [threading.Thread(target=click) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(new for _, new in made) == 1
    assert len({job.key for job, _ in made}) == 1


def test_the_oldest_is_taken_first_and_by_one_worker_only(store, account):
    keys = [ask(store, account, subject=f"study:{i}")[0].key for i in range(12)]
    taken, together = [], threading.Barrier(4)

    def work(name):
        together.wait()
        while (job := take(store, process=name)) is not None:
            taken.append(job.key)

    threads = [threading.Thread(target=work, args=(f"w{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == keys
    assert take(store) is None


def test_a_dead_workers_job_is_taken_again_and_the_dead_one_cannot_end_it(store, account):
    key = ask(store, account)[0].key
    assert take(store, "dead", lease=-1).key == key
    again = take(store, "alive")
    assert (again.key, again.attempts) == (key, 2)
    assert not renew(store, key, "dead")
    assert not finish(store, key, "dead", state="failed")
    assert renew(store, key, "alive")
    now = row(store, key)
    assert (now.progress, now.label, now.seconds_left) == (0.5, "finding cells", 12)
    assert now.lease_until > utc_now() + timedelta(seconds=50)
    assert finish(store, key, "alive")
    assert (row(store, key).state, row(store, key).progress) == ("done", 1.0)


def test_a_lease_that_holds_is_not_broken(store, account):
    ask(store, account)
    assert take(store, "a") is not None
    assert take(store, "b") is None


def test_a_job_that_kills_its_workers_ends_as_failed_with_a_next_step(store, account):
    key = ask(store, account)[0].key
    for _ in range(jobs.MOST_ATTEMPTS):
        assert take(store, "dies", lease=-1).key == key
    other = ask(store, account, subject="study:other")[0].key
    assert take(store).key == other
    ended = row(store, key)
    assert ended.state == "failed"
    assert "Next step" in ended.message


def test_a_worker_that_is_asked_to_stop_puts_its_job_back_without_blame(store, account):
    key = ask(store, account)[0].key
    for _ in range(jobs.MOST_ATTEMPTS + 2):
        assert take(store).key == key
        with store.unit_of_work() as session:
            assert jobs.put_back(session, key, process="a")
            session.commit()
        assert row(store, key).state == "waiting"


def test_asking_and_ending_are_in_the_trail(store, account):
    key = ask(store, account)[0].key
    ask(store, account)
    take(store)
    finish(store, key, state="failed", message="the disk is full")
    with store.reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.number)).all()
    assert [(e.actor, e.action, e.subject) for e in entries] == [
        ("ada", "job.asked", "study:demo"),
        ("system", "job.failed", "study:demo"),
    ]
    assert entries[1].reason == "the disk is full"


def test_standing_jobs_come_first(store, account):
    first = ask(store, account)[0].key
    second = ask(store, account, kind="report")[0].key
    take(store)
    finish(store, first)
    third = ask(store, account, kind="predict")[0].key
    with store.reading() as session:
        assert [told.job.key for told in jobs.latest(session)] == [third, second, first]
        assert [told.job.key for told in jobs.standing(session)] == [second, third]
        assert jobs.counts(session) == {"waiting": 2, "done": 1}
        assert jobs.find(session, first).asked_by == "Ada"
