from datetime import timedelta

import pytest
from sqlalchemy import select

from cellcensus.errors import LeaseLostError
from db import leases
from db.runs import abandon_runs_of_study, finish_run, start_run
from db.studies import record_study
from db.tables import Lease, Run
from db.types import utc_now


def begin(session, process="one:1:/home", *, stage="ingest", study_key=None, seconds=60.0):
    return start_run(
        session,
        command="c",
        stage=stage,
        study_key=study_key,
        recipe={},
        software="0",
        process=process,
        lease_seconds=seconds,
    ).key


@pytest.fixture
def runs(store):
    """Two runs on two machines."""
    with store.unit_of_work() as session:
        keys = begin(session), begin(session, "two:1:/home")
        session.commit()
    return keys


def silence(store, run):
    """As if the run had given no sign of life for long."""
    with store.unit_of_work() as session:
        session.get_one(Run, run).lease_until = utc_now() - timedelta(seconds=1)
        session.commit()


def take(store, run, subjects, most=9):
    with store.unit_of_work() as session:
        taken = leases.take(session, run, subjects, most)
        session.commit()
    return taken


def test_a_subject_has_one_holder(store, runs):
    assert take(store, runs[0], ["a", "b", "c"], 2) == ["a", "b"]
    assert take(store, runs[1], ["a", "b", "c"]) == ["c"]
    assert take(store, runs[0], ["a", "b", "c"]) == []


def test_more_subjects_than_a_statement_takes(store, runs):
    subjects = [f"specimen:{number}" for number in range(1200)]
    assert take(store, runs[0], subjects, 5000) == subjects
    with store.unit_of_work() as session:
        leases.give_back(session, runs[0], subjects)
        session.commit()
    assert take(store, runs[1], subjects, 5000) == subjects


def test_what_is_settled_or_given_back_is_free(store, runs):
    take(store, runs[0], ["a", "b", "c"])
    with store.unit_of_work() as session:
        leases.settle(session, runs[0], "a")
        leases.give_back(session, runs[0], ["b"])
        session.commit()
    assert take(store, runs[1], ["a", "b", "c"]) == ["a", "b"]


def test_the_end_of_a_run_frees_what_it_held(store, runs):
    take(store, runs[0], ["a"])
    with store.unit_of_work() as session:
        finish_run(session, runs[0], state="done", counts={}, notes=[])
        session.commit()
    assert take(store, runs[1], ["a"]) == ["a"]


def test_a_silent_run_is_abandoned_and_may_store_nothing(store, runs):
    take(store, runs[0], ["a"])
    silence(store, runs[0])
    assert take(store, runs[1], ["a"]) == ["a"]
    with store.unit_of_work() as session:
        assert session.get_one(Run, runs[0]).state == "abandoned"
        assert not leases.renew(session, runs[0], 60)
        with pytest.raises(LeaseLostError, match="silent"):
            leases.settle(session, runs[0], "a")
        with pytest.raises(LeaseLostError, match="silent"):
            leases.take(session, runs[0], ["b"], 1)
        leases.settle(session, runs[1], "a")


def test_a_silent_run_that_nobody_missed_goes_on(store, runs):
    take(store, runs[0], ["a"])
    silence(store, runs[0])
    with store.unit_of_work() as session:
        assert leases.renew(session, runs[0], 60)
        session.commit()
    assert take(store, runs[1], ["a"]) == []
    with store.unit_of_work() as session:
        leases.settle(session, runs[0], "a")


def test_a_result_that_is_not_stored_keeps_its_lease(store, runs):
    take(store, runs[0], ["a"])
    with store.unit_of_work() as session:
        leases.settle(session, runs[0], "a")  # and then the disk is full: no commit
    assert take(store, runs[1], ["a"]) == []


def test_machines_share_a_stage_and_wait_for_others(store, study):
    with store.unit_of_work() as session:
        key = record_study(session, study)
        run = begin(session, study_key=key)
        session.commit()
    with store.reading() as session:
        asked = {"study_key": key, "stage": "ingest"}
        assert leases.may_begin(session, **asked, shared=True)
        assert not leases.may_begin(session, **asked, shared=False)
        assert not leases.may_begin(session, study_key=key, stage="predict", shared=True)
        assert leases.may_begin(session, study_key=None, stage="train", shared=False)
    silence(store, run)
    with store.reading() as session:
        assert leases.may_begin(session, study_key=key, stage="train", shared=False)


def test_the_dead_of_this_machine_are_known_at_once(store, runs):
    with store.unit_of_work() as session:
        assert abandon_runs_of_study(session, None, machine="one", home="/home") == 1
        assert abandon_runs_of_study(session, None, machine="two", home="/elsewhere") == 0
        session.commit()
    with store.reading() as session:
        states = dict(session.execute(select(Run.key, Run.state)).tuples().all())
        assert session.scalars(select(Lease)).all() == []
    assert states == {runs[0]: "abandoned", runs[1]: "running"}


@pytest.mark.integration
def test_many_at_once_never_take_the_same(store, runs):
    from concurrent.futures import ThreadPoolExecutor

    subjects = [str(number) for number in range(40)]

    def greedy(run):
        mine = []
        while taken := take(store, run, subjects, 3):
            mine += taken
        return mine

    with ThreadPoolExecutor(4) as pool:
        found = [s for mine in pool.map(greedy, [*runs, *runs]) for s in mine]
    assert sorted(found, key=int) == subjects
