"""A power cut at any instant, then the same command: the same content as without it."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from cellcensus.recipe import hash_file
from db.audit import broken_entries
from db.store import Store
from db.tables import (
    AuditEntry,
    CellFile,
    Decision,
    Finding,
    ModelVersion,
    Prediction,
    PredictionClass,
    Recording,
    ReferenceCount,
    Report,
    Run,
    Specimen,
    SpecimenRevision,
    Study,
    StudyRevision,
)

pytestmark = pytest.mark.integration

CONTENT = (
    *(Study, StudyRevision, Specimen, SpecimenRevision, ReferenceCount, Recording, Finding),
    *(CellFile, ModelVersion, Decision, Prediction, PredictionClass, Report),
    AuditEntry,
)
# Surrogate keys, times and runs tell when something was done, not what. A report names its time.
# An entry's number and hashes tell in which order the trail was written.
_NOT_CONTENT = {"run_key", "created_at", "seen_at", "found_at", "taken_at", "cleared_at"} | {
    *("made_at", "number", "previous_hash", "entry_hash")
}
KILLS = int(os.environ.get("CELLCENSUS_TEST_KILLS", "3"))


def _start(study, home, *address):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.flows.driver", str(study), str(home), *address],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def _finish(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def _content(home, address=None):
    """Every row without times; keys as ranks, since a lost transaction may leave a gap."""
    store = Store(address or f"sqlite:///{home / 'cellcensus.sqlite'}")
    with store.reading() as session:
        rows = {table: session.scalars(select(table)).all() for table in CONTENT}
        assert list(broken_entries(session)) == []
    store.close()
    ranks = {
        table.__tablename__: {key: place for place, key in enumerate(sorted(r.key for r in found))}
        for table, found in rows.items()
        if found and hasattr(table, "key")
    }
    return {
        table.__tablename__: sorted(str(_values(row, ranks)) for row in found)
        for table, found in rows.items()
    }


def _values(row, ranks):
    values = {}
    for column in row.__table__.columns:
        name = column.key
        if name in _NOT_CONTENT or (name == "sha256" and isinstance(row, Report)):
            continue
        value = getattr(row, "column" if name == "sheet_column" else name)
        target = column.key == "key" and row.__tablename__
        for foreign in column.foreign_keys:
            target = foreign.column.table.name
        values[name] = ranks[target][value] if target and value is not None else value
    return values


def _files(home):
    return {
        str(file.relative_to(home)): None if file.suffix == ".html" else hash_file(file)
        for folder in ("cells", "models", "predictions", "reports")
        for file in (home / folder).rglob("*")
        if file.is_file()
    }


def test_killed_at_any_instant_it_ends_as_if_undisturbed(study, tmp_path, address):
    sqlite = address.startswith("sqlite")
    undisturbed = tmp_path / "undisturbed"
    process = _start(study.path, undisturbed)
    assert process.stdout.readline() == "ready\n"
    began = time.monotonic()
    _finish(process)
    lasts = time.monotonic() - began
    draw = random.Random(7)
    killed = 0
    for number in range(KILLS if sqlite else 2):
        home = tmp_path / f"killed-{number}"
        if sqlite:
            address = f"sqlite:///{home / 'cellcensus.sqlite'}"
        for _ in range(2):
            process = _start(study.path, home, address)
            assert process.stdout.readline() == "ready\n"
            time.sleep(draw.uniform(0, lasts))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            killed += process.returncode == -signal.SIGKILL
        _finish(_start(study.path, home, address))
        assert _content(home, address) == _content(undisturbed)
        assert _files(home) == _files(undisturbed)
        assert not list(home.rglob(".partial-*"))
        if not sqlite:
            break
    assert killed > 0


def test_the_same_command_twice_at_once_does_everything_once(study, tmp_path):
    homes = tmp_path / "one", tmp_path / "two"
    _finish(_start(study.path, homes[0]))
    for process in [_start(study.path, homes[1]) for _ in range(3)]:
        _finish(process)
    assert _content(homes[1]) == _content(homes[0])
    assert _files(homes[1]) == _files(homes[0])
    store = Store(f"sqlite:///{homes[1] / 'cellcensus.sqlite'}")
    with store.reading() as session:
        runs = session.scalars(select(Run)).all()
    assert len(runs) == 12
    done = [run.counts["done"] for run in runs if run.stage == "ingest"]
    assert sorted(done) == [0, 0, 6]
    store.close()
