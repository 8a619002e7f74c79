import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, text

from cellcensus.errors import StoreError, UsageError
from db import schema
from db.schema import backup, migrate, restore, upgrade
from db.store import Store, open_engine
from db.studies import load_study, record_study
from db.tables import Run, Specimen, Table


def test_upgrade_makes_the_schema_of_the_tables(address):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    assert upgrade(address) == schema.HEAD
    with open_engine(address).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Table.metadata) == []


def test_head_is_the_newest_migration():
    from alembic.script import ScriptDirectory

    assert ScriptDirectory.from_config(schema.alembic_config()).get_current_head() == schema.HEAD


def test_upgrade_again_changes_nothing(address, study):
    upgrade(address)
    store = Store(address)
    with store.unit_of_work() as session:
        record_study(session, study)
        session.commit()
    assert upgrade(address) == schema.HEAD
    with store.reading() as session:
        assert load_study(session, study.name).specimens == study.specimens


@pytest.mark.parametrize("earlier", ["0001", "0002", "0003", "0004"])
def test_upgrade_from_an_earlier_revision_keeps_the_data(address, study, earlier):
    with open_engine(address).execution_options(begin="IMMEDIATE").begin() as connection:
        migrate(connection, earlier)
    store = Store(address)
    with store.unit_of_work() as session:
        record_study(session, study)
        session.commit()
    upgrade(address)
    with store.reading() as session:
        assert load_study(session, study.name).specimens == study.specimens


def test_several_processes_may_upgrade_at_once(address):
    start = threading.Barrier(4)

    def upgrade_together(_number):
        start.wait()
        return upgrade(address)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(upgrade_together, range(4))) == [schema.HEAD] * 4


def test_a_database_of_a_newer_version_is_refused(address):
    upgrade(address)
    with open_engine(address).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="9999"):
        upgrade(address)


def test_an_address_of_another_kind_is_refused():
    with pytest.raises(StoreError, match="mysql"):
        upgrade("mysql://somewhere/else")
    with pytest.raises(StoreError, match="cannot be read"):
        upgrade("nonsense")


def test_a_database_that_is_not_there_is_said_in_words():
    with pytest.raises(StoreError, match="cannot be used") as caught:
        upgrade("postgresql://nobody@127.0.0.1:1/none?connect_timeout=2")
    assert "Traceback" not in str(caught.value)


def test_backup_and_restore_while_others_write(address, study, tmp_path):
    upgrade(address)
    store = Store(address)
    with store.unit_of_work() as session:
        record_study(session, study)
        session.commit()
    with store.unit_of_work() as session:  # a writer in the middle of its work
        session.add(Run(command="x", stage="y", recipe={}, software="0", process="1"))
        session.flush()
        backup(address, tmp_path / "copy.sqlite")
        session.commit()
    assert [p.name for p in tmp_path.glob("copy*")] == ["copy.sqlite"]

    elsewhere = f"sqlite:///{tmp_path / 'other' / 'restored.sqlite'}"
    assert restore(tmp_path / "copy.sqlite", elsewhere) > 0
    restored = Store(elsewhere)
    with restored.reading() as session:
        assert load_study(session, study.name).specimens == study.specimens
        assert session.scalar(select(func.count()).select_from(Run)) == 0
    with pytest.raises(UsageError, match="not empty"):
        restore(tmp_path / "copy.sqlite", elsewhere)


@pytest.mark.integration
def test_a_sqlite_home_moves_to_postgresql(postgres_address, study, tmp_path):
    source = f"sqlite:///{tmp_path / 'small.sqlite'}"
    upgrade(source)
    store = Store(source)
    with store.unit_of_work() as session:
        record_study(session, study)
        session.commit()
    backup(source, tmp_path / "copy.sqlite")
    restore(tmp_path / "copy.sqlite", postgres_address)
    moved = Store(postgres_address)
    with moved.unit_of_work() as session:
        key = record_study(session, study)
        session.add(Specimen(study_key=key, specimen_id="new"))  # keys go on where they ended
        session.commit()
    moved.close()


def test_backup_of_nothing_is_refused(tmp_path):
    with pytest.raises(StoreError, match="no database"):
        backup(f"sqlite:///{tmp_path / 'none.sqlite'}", tmp_path / "copy.sqlite")


def test_a_broken_database_file_is_said_in_words(tmp_path):
    (tmp_path / "bad.sqlite").write_bytes(b"this is no database, only text" * 100)
    with pytest.raises(StoreError, match="cannot be used"):
        upgrade(f"sqlite:///{tmp_path / 'bad.sqlite'}")


def test_sqlite_keeps_foreign_keys_and_write_ahead_log(tmp_path):
    address = f"sqlite:///{tmp_path / 'a.sqlite'}"
    upgrade(address)
    with open_engine(address).connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    raw = sqlite3.connect(tmp_path / "a.sqlite")
    assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    raw.close()
