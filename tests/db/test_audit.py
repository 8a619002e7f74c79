import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from cellcensus.errors import StoreError
from db.audit import FIRST_HASH, Head, broken_entries, disagreement, head, record
from db.schema import backup, restore, upgrade
from db.store import Store
from db.tables import AuditEntry

GUARDS = {
    "sqlite": ["DROP TRIGGER audit_entry_no_update", "DROP TRIGGER audit_entry_no_delete"],
    "postgresql": ["ALTER TABLE audit_entry DISABLE TRIGGER ALL"],
}


def write(store, *reasons):
    with store.unit_of_work() as session:
        for reason in reasons:
            record(
                session,
                actor="ada",
                action="result.corrected",
                subject="specimen:demo/S1",
                before={"share": 0.1},
                after={"share": 0.25, "µ": None},
                reason=reason,
            )
        session.commit()


def broken(store):
    with store.reading() as session:
        return list(broken_entries(session))


def tamper(store, statement):
    with store.engine.begin() as connection:
        for guard in GUARDS[connection.dialect.name]:
            connection.execute(text(guard))
        connection.execute(text(statement))


def test_entries_follow_each_other(store):
    write(store, "first", "second")
    write(store, "third")
    with store.reading() as session:
        entries = session.query(AuditEntry).order_by(AuditEntry.number).all()
    assert [entry.number for entry in entries] == [1, 2, 3]
    assert entries[0].previous_hash == FIRST_HASH
    assert entries[2].previous_hash == entries[1].entry_hash
    assert broken(store) == []


def test_an_entry_is_kept_only_with_the_change_it_tells_of(store):
    with store.unit_of_work() as session:
        record(session, actor="ada", action="x", subject="y")
    write(store, "kept")
    assert broken(store) == []


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_entry SET reason = 'x'", "DELETE FROM audit_entry"]
)
def test_the_database_refuses_to_alter_the_trail(store, statement):
    write(store, "kept")
    with pytest.raises(StoreError, match="never altered"), store.unit_of_work() as session:
        session.execute(text(statement))
    assert broken(store) == []


def test_the_trail_is_not_emptied(store):
    write(store, "kept")
    if store.engine.dialect.name == "postgresql":
        with pytest.raises(SQLAlchemyError, match="never altered"), store.engine.begin() as c:
            c.execute(text("TRUNCATE audit_entry"))


@pytest.mark.parametrize(
    ("statement", "number", "words"),
    [
        ("UPDATE audit_entry SET actor = 'eve' WHERE number = 2", 2, "altered"),
        ("DELETE FROM audit_entry WHERE number = 2", 3, "missing"),
        ("DELETE FROM audit_entry WHERE number = 1", 2, "missing"),
    ],
)
def test_what_was_altered_is_found(store, statement, number, words):
    write(store, "one", "two", "three")
    tamper(store, statement)
    found = broken(store)
    assert number in [place for place, _ in found]
    assert words in dict(found)[number]


def test_upgrade_twice_keeps_the_guards(store):
    write(store, "kept")
    upgrade(store.address)
    with pytest.raises(StoreError, match="never altered"), store.unit_of_work() as session:
        session.execute(text("DELETE FROM audit_entry"))


def test_an_entry_names_whom_the_work_was_begun_for(store):
    with store.unit_of_work("rosa") as session:
        assert record(session, action="x", subject="y").actor == "rosa"
        assert record(session, actor="ada", action="x", subject="y").actor == "ada"
    with store.unit_of_work() as session:
        assert record(session, action="x", subject="y").actor == "system"


def test_two_writers_at_once_keep_one_chain(store):
    meet = threading.Barrier(2)

    def work(name):
        own = Store(store.address, actor=name)
        meet.wait()
        for _ in range(25):
            with own.unit_of_work() as session:
                record(session, action="x", subject="y")
                session.commit()
        own.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, ("one", "two")))
    assert broken(store) == []
    with store.reading() as session:
        actors = session.query(AuditEntry.actor).order_by(AuditEntry.number).all()
    assert sorted(actors) == sorted([("one",)] * 25 + [("two",)] * 25)


def test_a_cut_off_end_is_found_by_a_noted_head(store):
    write(store, "one", "two")
    with store.reading() as session:
        noted = head(session)
    write(store, "three")
    with store.reading() as session:
        assert head(session).number == 3
        assert disagreement(session, noted) is None
        assert disagreement(session, Head(0, FIRST_HASH)) is None
        assert "not the one" in disagreement(session, Head(1, noted.entry_hash))
    tamper(store, "DELETE FROM audit_entry WHERE number > 1")
    assert broken(store) == []  # what is left still follows from its beginning
    with store.reading() as session:
        assert "missing" in disagreement(session, noted)


def test_an_empty_trail_has_a_head(store):
    with store.reading() as session:
        assert head(session) == Head(0, FIRST_HASH)


def test_a_restored_trail_is_whole(store, tmp_path):
    write(store, "one", "two")
    with store.reading() as session:
        noted = head(session)
    backup(store.address, tmp_path / "copy.sqlite")
    restored = Store(f"sqlite:///{tmp_path / 'restored.sqlite'}")
    restore(tmp_path / "copy.sqlite", restored.address)
    assert broken(restored) == []
    write(restored, "three")
    assert broken(restored) == []
    with restored.reading() as session:
        assert disagreement(session, noted) is None
    with pytest.raises(StoreError, match="never altered"), restored.unit_of_work() as session:
        session.execute(text("DELETE FROM audit_entry"))
    restored.close()
