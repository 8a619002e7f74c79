"""The database of a home: one engine, reading sessions and units of work."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DataError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from cellcensus.errors import StoreError, UsageError

BUSY_TIMEOUT_S = 60

_BETWEEN_TRIES_S = 1.0

log = logging.getLogger("cellcensus.db")


def normal_address(address: str) -> str:
    """``postgres://`` and ``postgresql://`` mean psycopg 3 here; other addresses are unchanged."""
    scheme, separator, rest = address.partition("://")
    if scheme in ("postgres", "postgresql"):
        scheme = "postgresql+psycopg"
    return scheme + separator + rest


def open_engine(address: str) -> Engine:
    """Engine for a SQLAlchemy URL of SQLite or PostgreSQL.

    Raises
    ------
    StoreError
        The address is none, or of another kind of database.
    """
    try:
        url = make_url(normal_address(address))
    except ArgumentError as error:
        raise StoreError(
            "the address of the database cannot be read",
            next_step="set CELLCENSUS_DATABASE_URL to postgresql://user:password@host/name",
        ) from error
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise StoreError(
            f"databases of the kind {url.get_backend_name()} are not supported",
            next_step="use SQLite (unset CELLCENSUS_DATABASE_URL) or PostgreSQL",
        )
    options: dict[str, Any] = {"json_serializer": _to_json}
    if url.get_backend_name() == "sqlite":
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S}, **options)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(url, pool_pre_ping=True, **options)


class Store:
    """The database at ``address``.

    Reading and writing are told apart: SQLite has one writer at a time, and a transaction that
    reads first and writes later may be refused; a writer therefore says so when it begins.

    ``actor`` is who acts, as the audit trail names it: ``os:NAME`` for a command, ``system`` for
    what the service does by itself. A unit of work for somebody in particular names that person.

    ``patience_s`` is how long a PostgreSQL server that went away is waited for before a session
    begins. Work that lasts hours outlives its restart so; a page should say so at once instead.
    What was under way when the server went is lost with its session, and said.
    """

    def __init__(self, address: str, *, actor: str = "system", patience_s: float = 0.0) -> None:
        self.actor, self.patience_s = actor, patience_s
        self.address = normal_address(address)
        self.engine = open_engine(address)
        # Shares the pool and listeners of `engine`.
        self._writer = self.engine.execution_options(begin="IMMEDIATE")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session on one consistent state; anything changed in it is dropped."""
        with _as_store_error(), Session(self.engine, expire_on_commit=False) as session:
            self._reach(session)
            yield session

    @contextmanager
    def unit_of_work(self, actor: str | None = None) -> Iterator[Session]:
        """A session whose changes are kept only if ``session.commit()`` is called."""
        with _as_store_error(), Session(self._writer, expire_on_commit=False) as session:
            self._reach(session)
            session.info["actor"] = actor or self.actor
            yield session

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _reach(self, session: Session) -> None:
        if self.patience_s <= 0 or self.engine.dialect.name == "sqlite":
            return
        until = time.monotonic() + self.patience_s
        while True:
            try:
                session.connection()
                return
            except OperationalError:
                if time.monotonic() > until:
                    raise
                log.warning("the database does not answer; waiting for it")
                time.sleep(_BETWEEN_TRIES_S)


@contextmanager
def _as_store_error() -> Iterator[None]:
    try:
        yield
    except (DataError, OverflowError) as error:
        # The fault of who gave the value, such as a number of thirty digits, not of the database.
        raise UsageError(
            "a value that was given is too large, or holds what cannot be stored",
            next_step="correct it",
        ) from error
    except SQLAlchemyError as error:
        # The driver's own sentence only: the SQL and its parameters are nothing for a person.
        cause = getattr(error, "orig", None) or error
        raise StoreError(
            f"the database refused: {str(cause).strip().splitlines()[0]}",
            next_step="see that the database can be reached and the disk is not full, and repeat",
        ) from error


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # Python's driver begins transactions on its own and not for DDL; `_begin_sqlite` does instead.
    connection.isolation_level = None
    _keep_write_ahead_log(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _keep_write_ahead_log(connection: sqlite3.Connection) -> None:
    # The change of a new file to a write-ahead log needs the file alone, and SQLite refuses it at
    # once while another process does the same: its busy timeout does not apply to that lock.
    patience = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > patience:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    mode = connection.get_execution_options().get("begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")


def _to_json(value: Any) -> str:
    # NaN is no JSON: PostgreSQL would refuse what SQLite swallows.
    return json.dumps(value, allow_nan=False, ensure_ascii=False)
