"""What the control charts, the quarantine page and the monitor ask, on both databases."""

from datetime import timedelta

import pytest

from cellcensus.findings import Finding, Level
from db import aside, figures
from db.controls import UNNAMED, acquisitions, classes_of, instruments
from db.findings import clear_quarantine, reconcile
from db.runs import finish_run, start_run
from db.studies import specimen_keys
from tests.web import lab


@pytest.fixture
def filled(store):
    with store.unit_of_work() as session:
        key = lab.fill_lab(session, days=12)
        session.commit()
    return key


def names(found):
    return [one.specimen_id for one in found]


def test_the_first_and_the_latest_are_found_in_order(store, filled):
    with store.reading() as session:
        found = acquisitions(session, "bench-1", roles=("control",), first=2, latest=3)
        assert names(found) == ["C000", "C001", "C009", "C010", "C011"]
        assert [len(one.prediction.rows) for one in found] == [3] * 5
        every = acquisitions(session, "bench-1", roles=("control",), first=9, latest=9)
        assert names(every) == [f"C{i:03}" for i in range(12)]
        day = lab.START + timedelta(days=10)
        late = acquisitions(session, "bench-1", roles=("control",), first=9, latest=9, since=day)
        assert names(late) == ["C010", "C011"]
        assert acquisitions(session, UNNAMED, roles=("control",), first=1, latest=1) == []
        assert instruments(session) == [("bench-1", 36)]
        assert classes_of(session, [filled]) == {filled: list(lab.CLASSES)}


def test_who_is_set_aside_and_who_was(store, filled):
    found = Finding(Level.VIOLATION, "empty_file", "the file has 0 bytes", "copy it again")
    with store.unit_of_work() as session:
        keys = specimen_keys(session, filled)
        for name in ("U001", "U002"):
            reconcile(
                session,
                [found],
                study_key=filled,
                specimen_key=keys[name],
                source="ingest",
                quarantines=True,
            )
        session.flush()
        clear_quarantine(session, keys["U001"])
        session.commit()
    with store.reading() as session:
        now, before = aside.set_aside(session), aside.past(session)
        assert [(one.specimen_id, one.recording, one.discarded) for one in now] == [
            ("U002", "U002.avi", False)
        ]
        assert [one.specimen_id for one in before] == ["U001"]
        assert figures.quarantine_size(session) == 1


def test_the_last_success_of_each_stage(store):
    ended = {}
    with store.unit_of_work() as session:
        for state in ("done", "partial", "failed"):
            run = start_run(
                session,
                command="test",
                stage="ingest",
                study_key=None,
                recipe={},
                software="x",
                process="y",
            )
            finish_run(session, run.key, state=state, counts={}, notes=[])
            ended[state] = run.finished_at
        session.commit()
    with store.reading() as session:
        assert figures.last_successes(session) == {"ingest": ended["partial"]}
        assert figures.run_counts(session) == {
            ("ingest", "done"): 1,
            ("ingest", "partial"): 1,
            ("ingest", "failed"): 1,
        }
