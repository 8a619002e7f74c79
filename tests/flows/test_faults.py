"""A disk that fails at the N-th write: the old state or the new one, never a mixture."""

import errno
import os
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import event, select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from cellcensus.errors import CellcensusError
from cellcensus.recipe import hash_file
from cellcensus.settings import Settings
from db.store import Store
from db.tables import CellFile, ModelVersion, Prediction, Report
from flows.context import open_context
from flows.run import run_study
from tests.flows.homes import content_of, files_of

# Every N is tried by CELLCENSUS_TEST_FAULT_STRIDE=1; a run of all takes minutes.
STRIDE = int(os.environ.get("CELLCENSUS_TEST_FAULT_STRIDE", "10"))


class Disk:
    """Counts what is written, synced, replaced and committed, and fails from some point on."""

    def __init__(self, monkeypatch, code, *, fails_at=None, once=False):
        self.count, self.code, self.fails_at, self.once = 0, code, fails_at, once
        for owner, name in (
            (os, "fsync"),
            (Path, "replace"),
            (Path, "write_text"),
            (Path, "write_bytes"),
        ):
            monkeypatch.setattr(owner, name, self._guarded(getattr(owner, name)))
        event.listen(Engine, "commit", self._commit)

    def close(self):
        event.remove(Engine, "commit", self._commit)

    def _fails(self):
        self.count += 1
        if self.fails_at is None:
            return False
        return self.count == self.fails_at if self.once else self.count >= self.fails_at

    def _guarded(self, function):
        def guarded(*arguments, **keywords):
            if self._fails():
                raise OSError(self.code, os.strerror(self.code))
            return function(*arguments, **keywords)

        return guarded

    def _commit(self, _connection):
        if self._fails():
            raise OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))


def run(study, home):
    with open_context(Settings(home=home, processes=1)) as ctx:
        return run_study(ctx, study.path)


def broken(study, home, monkeypatch, code, **faults):
    """One run on a failing disk; how much was written before it ended."""
    with monkeypatch.context() as patch:
        disk = Disk(patch, code, **faults)
        try:
            run(study, home)
        except (CellcensusError, OSError):
            pass  # said, and the work is left undone
        finally:
            disk.close()
        return disk.count


def assert_whole(home):
    """Every row has its file, whole."""
    if not (home / "cellcensus.sqlite").exists():
        return
    store = Store(f"sqlite:///{home / 'cellcensus.sqlite'}")
    try:
        with store.reading() as session:
            if session.connection().dialect.has_table(session.connection(), "report"):
                for table in (CellFile, ModelVersion, Prediction, Report):
                    for row in session.scalars(select(table)):
                        assert (home / row.path).exists(), row.path
                for report in session.scalars(select(Report).where(Report.current)):
                    assert hash_file(home / report.path) == report.sha256
    finally:
        store.close()


@pytest.fixture
def small(study):
    for name in ("M2", "B1"):
        del study.rows[name]
    study.write()
    return study


@pytest.mark.parametrize(
    ("code", "once"), [(errno.ENOSPC, False), (errno.EIO, True)], ids=["full", "hiccup"]
)
def test_whatever_write_fails_nothing_is_half_done(small, tmp_path, calls, monkeypatch, code, once):
    run(small, tmp_path / "undisturbed")
    expected = content_of(tmp_path / "undisturbed"), files_of(tmp_path / "undisturbed")
    writes = broken(small, tmp_path / "counted", monkeypatch, code)
    assert writes > 50
    for number in range(1 + once, writes + 1, STRIDE):
        home = tmp_path / f"fails-at-{number}"
        broken(small, home, monkeypatch, code, fails_at=number, once=once)
        assert_whole(home)
        run(small, home)
        assert (content_of(home), files_of(home)) == expected, number
        assert not list(home.rglob(".partial-*"))
