"""The schema's life: upgrade, and copies of the whole database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from cellcensus.errors import StoreError
from cellcensus.files import publish_file
from db.store import open_engine

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0005"
"""The newest revision. It stands here so that the usual case, nothing to do, needs no Alembic."""

_LOCK = 7_326_811  # any number of our own, for PostgreSQL's advisory lock


def upgrade(address: str) -> str:
    """Bring the database to the newest schema; several processes may do so at once.

    Returns
    -------
    str
        The revision it has now.

    Raises
    ------
    StoreError
        It cannot be reached, or was made by a newer version of cellcensus.
    """
    with _reached(address) as engine:
        with engine.connect() as connection:
            if revision(connection) == HEAD:
                return HEAD
        with engine.execution_options(begin="IMMEDIATE").begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
            migrate(connection)
        return HEAD


@contextmanager
def _reached(address: str) -> Iterator[Engine]:
    try:
        engine = open_engine(address)
        try:
            yield engine
        finally:
            engine.dispose()
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(
            f"the database cannot be used: {_first_line(error)}",
            next_step="check CELLCENSUS_HOME and CELLCENSUS_DATABASE_URL, and that it is running",
        ) from error


def backup(address: str, file: Path) -> None:
    """Copy the whole database to ``file``, a SQLite database, also while others write.

    A PostgreSQL database is copied row by row from one consistent state, so that the copy needs
    no other tool to be read or put back.

    Raises
    ------
    StoreError
        The database cannot be read or the file not be written.
    """
    from db import copies

    file = Path(file)
    with _reached(address) as engine:
        if engine.dialect.name == "sqlite":
            if not Path(str(engine.url.database)).is_file():
                raise StoreError("there is no database yet", next_step="`cellcensus db upgrade`")
            copies.copy_sqlite(engine, file)
            return
        with publish_file(file) as temporary:
            upgrade(f"sqlite:///{temporary}")
            copies.copy_to_file(engine, temporary)


def restore(file: Path, address: str) -> int:
    """Put a copy made by :func:`backup` into the empty database at ``address``; how many rows.

    Raises
    ------
    UsageError
        There is no such copy, or the database is not empty.
    """
    from db import copies

    upgrade(address)
    with (
        copies.brought_up_to_date(Path(file), upgrade) as source,
        _reached(address) as engine,
        engine.execution_options(begin="IMMEDIATE").begin() as target,
    ):
        return copies.copy_rows(source, target)


def revision(connection: Connection) -> str | None:
    """The schema's revision; ``None`` for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar_one_or_none()
    return found


def alembic_config() -> Config:
    """Alembic's configuration for our migrations."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def migrate(connection: Connection, target: str = HEAD) -> None:
    """Upgrade over an open transaction, to ``target``.

    Raises
    ------
    StoreError
        The database was made by a newer version of cellcensus.
    """
    from alembic import command
    from alembic.script import ScriptDirectory

    config = alembic_config()
    present = revision(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if present is not None and present not in known:
        raise StoreError(
            f"the database has schema {present}, which this version does not know",
            next_step="use the newer cellcensus that made it",
        )
    config.attributes["connection"] = connection
    command.upgrade(config, target)


def _first_line(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().splitlines()[0]
