"""Cells in a storage: fsspec's own in memory, and a real server that speaks S3."""

import shutil
from datetime import UTC, datetime
from importlib.util import find_spec

import fsspec
import pytest
from sqlalchemy import select

from cellcensus.errors import PicturesGoneError, StoreError
from cellcensus.retained import GONE, PICTURES
from cellcensus.settings import Settings
from db.tables import CellFile
from flows import asking
from flows.export import cell_rows, prediction_rows
from flows.housekeeping import keep_house
from flows.ingest import ingest_study
from flows.keptcells import LIST, kept_cells, stored_cells
from flows.paths import study_cells_path
from flows.run import run_study
from flows.train import train_model
from tests.flows import standins

PLACE, ROOT = "memory://laboratory/cells", "/laboratory/cells"
LATER = datetime(2126, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(asking, "sleep", lambda _seconds: None)


@pytest.fixture
def memory():
    fs = fsspec.filesystem("memory")
    fs.store.clear()
    yield fs
    fs.store.clear()


@pytest.fixture
def pictured(monkeypatch, calls):
    """Cells that have pictures too."""
    plain = standins.ingest

    def ingest(*arguments, out, **more):
        summary = plain(*arguments, out=out, **more)
        for name in PICTURES:
            (out / name).write_bytes(b"x" * 1000)
        return summary

    monkeypatch.setattr("pipeline.ingest.ingest", ingest)


@pytest.fixture
def away(opened, calls, memory):
    def open_home(**settings):
        return opened(storage={"cells": PLACE}, **settings)

    return open_home


def _rows(ctx):
    with ctx.store.reading() as session:
        return session.scalars(select(CellFile).order_by(CellFile.key)).all()


def _kept(ctx, number=0):
    return kept_cells(ctx.settings, _rows(ctx)[number].path)


def _copies(ctx):
    return [path for path in (ctx.home / "cache").iterdir() if not path.name.startswith(".")]


def _forget(ctx):
    shutil.rmtree(ctx.home / "cache")


def _told(ctx):
    return list(cell_rows(ctx, "made-up")), list(prediction_rows(ctx, "made-up"))


def _at_home(study, home):
    from flows.context import open_context

    settings = Settings(home=home, processes=1, training={"seed": 1})
    with open_context(settings) as ctx:
        run_study(ctx, study.path)
        return _told(ctx)


def test_a_study_is_run_with_its_cells_elsewhere(away, study, tmp_path):
    expected = _at_home(study, tmp_path / "other")
    ctx = away()
    assert [o.exit_code for o in run_study(ctx, study.path)] == [0, 0, 0, 0]
    assert not list((ctx.home / "cells").rglob("*.json"))
    _forget(ctx)  # as on another machine
    assert _told(ctx)[0] == expected[0]
    models = [[{**row, "model_id": ""} for row in rows] for rows in (_told(ctx)[1], expected[1])]
    assert models[0] == models[1]


def test_what_is_done_is_not_done_again_nor_asked_for_one_by_one(away, study, calls, monkeypatch):
    ctx = away()
    ingest_study(ctx, study.path)
    monkeypatch.setattr("flows.keptcells.KeptCells._list", None)
    assert ingest_study(ctx, study.path).skipped == 6
    assert calls["ingest"] == 6


def test_cells_that_are_lost_are_made_again(away, study, memory, calls):
    ctx = away()
    ingest_study(ctx, study.path)
    lost = _rows(ctx)[0].path.removeprefix("cells/")
    memory.rm(f"{ROOT}/{lost}", recursive=True)
    _forget(ctx)
    outcome = ingest_study(ctx, study.path)
    assert (outcome.done, outcome.skipped, calls["ingest"]) == (1, 5, 7)
    assert _kept(ctx).are_there()


def test_a_folder_is_there_whole_or_not_at_all(away, study, memory, monkeypatch):
    """The list comes last: whoever is killed before leaves nothing that anybody reads."""
    ctx = away()
    real = type(memory).pipe_file

    def cut(self, path, value, **more):
        raise ConnectionError("cut off")

    monkeypatch.setattr(type(memory), "pipe_file", cut)
    with pytest.raises(StoreError, match="cannot be reached"):
        ingest_study(ctx, study.path)
    assert not _rows(ctx)
    assert memory.find(ROOT)
    assert stored_cells(ctx.settings, study_cells_path("made-up")) == frozenset()
    monkeypatch.setattr(type(memory), "pipe_file", real)
    assert ingest_study(ctx, study.path).done == 6
    listed = stored_cells(ctx.settings, study_cells_path("made-up"))
    assert listed == {row.path for row in _rows(ctx)}


@pytest.mark.parametrize("harm", ["altered", "gone", "no list"])
def test_content_that_is_not_what_was_written_is_never_used(away, study, memory, harm):
    ctx = away()
    ingest_study(ctx, study.path)
    kept = _kept(ctx)
    folder = f"{ROOT}/{kept.path.removeprefix('cells/')}"
    one = next(name for name in memory.find(folder) if not name.endswith(f"/{LIST}"))
    if harm == "altered":
        memory.pipe_file(one, b"something else")
    if harm == "gone":
        memory.rm_file(one)
    if harm == "no list":
        memory.pipe_file(f"{folder}/{LIST}", b"{")
    _forget(ctx)
    with pytest.raises(StoreError, match="not what was written"), kept.folder():
        pass


def test_pictures_are_deleted_there_and_in_the_copy(away, study, memory, pictured):
    ctx = away(housekeeping={"backups": 0, "pictures_days": {"unknown": 90}})
    run_study(ctx, study.path)
    outcome = keep_house(ctx, now=LATER)
    assert "1 unknown specimens" in " ".join(outcome.notes)
    (kept,) = [k for k in (_kept(ctx, n) for n in range(6)) if k.pictures_are_gone()]
    assert "U1" in kept.path
    left = {name.rpartition("-")[2] for name in memory.find(f"{ROOT}/{kept.path[6:]}")}
    assert not left & set(PICTURES)
    assert GONE.rpartition("-")[2] in left
    assert len([c for c in _copies(ctx) if (c / PICTURES[0]).exists()]) == 5
    with kept.folder() as folder, pytest.raises(PicturesGoneError):
        standins.read_cells(folder)
    assert len(_told(ctx)[0]) == 10 * 4 + 10
    assert keep_house(ctx, now=LATER).notes == []
    assert train_model(ctx, [study.path]).skipped == 1


def test_pictures_are_made_again_for_who_asks_by_name(away, study, memory, pictured):
    ctx = away(housekeeping={"backups": 0, "pictures_days": {"unknown": 90}})
    ingest_study(ctx, study.path)
    keep_house(ctx, now=LATER)
    assert ingest_study(ctx, study.path).skipped == 6
    assert ingest_study(ctx, study.path, specimens=["U1"]).done == 1
    assert not any(_kept(ctx, number).pictures_are_gone() for number in range(6))
    assert not [name for name in memory.find(ROOT) if GONE in name]


def test_cells_of_the_home_are_used_where_a_storage_is_named_later(opened, calls, memory, study):
    ingest_study(opened(), study.path)
    ctx = opened(storage={"cells": PLACE})
    assert ingest_study(ctx, study.path).skipped == 6
    assert not memory.find(ROOT)
    assert run_study(ctx, study.path)[-1].exit_code == 0


def test_what_is_no_address_is_refused():
    with pytest.raises(ValueError, match="address"):
        Settings(storage={"cells": "/mnt/cells"})


@pytest.mark.integration
@pytest.mark.skipif(
    not (find_spec("s3fs") and find_spec("moto")),
    reason="s3fs and moto are not installed: pip install 'cellcensus[dev]'",
)
def test_a_server_that_speaks_s3(opened, pictured, tmp_path):
    from moto.server import ThreadedMotoServer

    from tests.flows.conftest import Folder

    study = Folder(tmp_path / "ü", name="a study")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    options = {"endpoint_url": f"http://{host}:{port}", "key": "test", "secret": "test"}
    storage = {"cells": "s3://census/cells", "options": {"s3": options}}
    try:
        ctx = opened(storage=storage, housekeeping={"pictures_days": {"unknown": 90}})
        with pytest.raises(StoreError, match="is not there"):
            ingest_study(ctx, study.path)
        fs = fsspec.filesystem("s3", **options)
        fs.mkdir("census")
        assert [o.exit_code for o in run_study(ctx, study.path)] == [0, 0, 0, 0]
        _forget(ctx)
        assert ingest_study(ctx, study.path).skipped == 6
        assert len(list(cell_rows(ctx, "a study"))) == 50
        keep_house(ctx, now=LATER)
        assert sum(_kept(ctx, number).pictures_are_gone() for number in range(6)) == 1
        fs.invalidate_cache()
        assert len([name for name in fs.find("census/cells") if "crops" in name]) == 5
    finally:
        server.stop()
