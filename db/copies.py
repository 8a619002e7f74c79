"""Copies of the whole database: taken while it is used, and put back."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, text

from cellcensus.errors import StoreError, UsageError
from cellcensus.files import publish_file
from db.store import open_engine
from db.tables import Table

_CHUNK = 1000


def copy_sqlite(engine: Engine, file: Path) -> None:
    """Copy a SQLite database with SQLite's own online backup, and check the copy.

    Raises
    ------
    StoreError
        The copy is not sound.
    """
    with publish_file(file) as temporary:
        source = sqlite3.connect(str(engine.url.database))
        target = sqlite3.connect(temporary)
        try:
            source.backup(target)
            verdict = target.execute("PRAGMA integrity_check").fetchone()[0]
        finally:
            target.close()
            source.close()
        if verdict != "ok":
            raise StoreError(
                f"the copy is not sound: {verdict}",
                file=file,
                next_step="check the disk; the database itself was not touched",
            )


def copy_rows(source: Connection, target: Connection) -> int:
    """Copy every row of every table into empty tables of the same schema; how many rows.

    Raises
    ------
    UsageError
        The target has rows.
    """
    rows = 0
    for table in Table.metadata.sorted_tables:
        if target.execute(select(func.count()).select_from(table)).scalar_one():
            raise UsageError(
                "the database to restore into is not empty",
                next_step="restore into a new database, then point CELLCENSUS_DATABASE_URL to it",
            )
        chunk: list[dict[str, Any]] = []
        for row in source.execution_options(yield_per=_CHUNK).execute(select(table)):
            chunk.append(dict(row._mapping))
            if len(chunk) == _CHUNK:
                target.execute(insert(table), chunk)
                rows, chunk = rows + len(chunk), []
        if chunk:
            target.execute(insert(table), chunk)
            rows += len(chunk)
    _advance_counters(target)
    return rows


def copy_to_file(engine: Engine, file: Path) -> None:
    """Copy one consistent state of a database into the empty SQLite database ``file``."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    copy = open_engine(f"sqlite:///{file}")
    with engine.connect() as source, copy.begin() as target:
        copy_rows(source, target)
    copy.dispose()
    # A copy is one file: what is in the write-ahead log must be in it before it is published.
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


@contextmanager
def brought_up_to_date(file: Path, upgrade: Callable[[str], str]) -> Iterator[Connection]:
    """Connection to a scratch copy of ``file`` with the newest schema; ``file`` is not touched.

    Raises
    ------
    UsageError
        There is no such file.
    """
    if not file.is_file():
        raise UsageError("there is no such copy", file=file, next_step="give a file of `db backup`")
    with TemporaryDirectory() as folder:
        scratch = Path(folder) / "copy.sqlite"
        shutil.copyfile(file, scratch)
        upgrade(f"sqlite:///{scratch}")
        engine = open_engine(f"sqlite:///{scratch}")
        with engine.connect() as connection:
            yield connection
        engine.dispose()


def _advance_counters(connection: Connection) -> None:
    # PostgreSQL's counters do not notice keys that were given.
    if connection.dialect.name != "postgresql":
        return
    for table in Table.metadata.sorted_tables:
        if "key" in table.columns:
            connection.execute(
                text(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', 'key'), "  # noqa: S608 - our own names
                    f"COALESCE((SELECT MAX(key) FROM {table.name}), 1))"
                )
            )
