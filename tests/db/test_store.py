from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import StatementError

from cellcensus.errors import StoreError, UsageError
from db.store import normal_address
from db.tables import Run, Specimen, Study


def _run(**values):
    return Run(command="c", stage="s", recipe={}, software="0", process="1", **values)


def _count(store, table):
    with store.reading() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_nothing_is_kept_unless_committed(store):
    with store.unit_of_work() as session:
        session.add(Study(name="a"))
        session.flush()
    assert _count(store, Study) == 0


def test_an_error_undoes_everything(store):
    with pytest.raises(RuntimeError), store.unit_of_work() as session:
        session.add(Study(name="a"))
        session.flush()
        raise RuntimeError
    assert _count(store, Study) == 0


def test_a_reader_cannot_change_anything(store):
    with store.reading() as session:
        session.add(Study(name="a"))
        session.flush()
    assert _count(store, Study) == 0


def test_what_the_database_refuses_is_said_in_words(store):
    with pytest.raises(StoreError, match="refused") as caught, store.unit_of_work() as session:
        session.add(Specimen(study_key=77, specimen_id="x"))  # no such study
        session.commit()
    assert "INSERT" not in str(caught.value)


def test_times_come_back_in_utc(store):
    moment = datetime(2026, 3, 1, 10, tzinfo=timezone(timedelta(hours=2)))
    with store.unit_of_work() as session:
        session.add(_run(started_at=moment))
        session.commit()
    with store.reading() as session:
        stored = session.scalars(select(Run.started_at)).one()
    assert stored == moment
    assert stored.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(store):
    with pytest.raises((StoreError, StatementError, ValueError)), store.unit_of_work() as session:
        session.add(_run(started_at=datetime(2026, 3, 1)))
        session.commit()


def test_a_number_that_is_none_is_not_stored_as_json(store):
    with pytest.raises((StoreError, ValueError)), store.unit_of_work() as session:
        session.add(_run(counts={"x": float("nan")}))
        session.commit()


def test_writers_wait_for_each_other(store):
    def write(number):
        with store.unit_of_work() as session:
            # Reading first, then writing, is what SQLite refuses to two deferred transactions.
            session.scalar(select(func.count()).select_from(Study))
            session.add(Study(name=f"study {number}"))
            session.commit()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    assert _count(store, Study) == 40


@pytest.mark.parametrize("given", ["postgres://u:p@h/d", "postgresql://u:p@h/d"])
def test_postgresql_is_reached_with_psycopg_3(given):
    assert normal_address(given) == "postgresql+psycopg://u:p@h/d"


@pytest.mark.parametrize("key", [2**80, -(2**80)])
def test_a_value_no_database_holds_is_the_fault_of_who_gave_it(store, key):
    with pytest.raises(UsageError), store.reading() as session:
        session.get(Study, key)
