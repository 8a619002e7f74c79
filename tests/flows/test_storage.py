"""Recordings in a storage: fsspec's own in memory, and a real server that speaks S3."""

from importlib.util import find_spec

import fsspec
import pytest
from sqlalchemy import select

from cellcensus.errors import RecordingError, StoreError
from cellcensus.settings import Settings
from db.tables import CellFile, Recording
from flows import asking, storage
from flows.ingest import ingest_study
from flows.run import run_study

PLACE = "memory://laboratory/may"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    waited = []
    monkeypatch.setattr(asking, "sleep", waited.append)
    return waited


@pytest.fixture
def memory():
    fs = fsspec.filesystem("memory")
    fs.store.clear()
    yield fs
    fs.store.clear()


def _move(study, fs, root):
    """The recordings of a study folder lie in a storage from now on."""
    for file in (study.path / "recordings").iterdir():
        fs.pipe_file(f"{root}/recordings/{file.name}", file.read_bytes())
        file.unlink()


@pytest.fixture
def stored(study, memory):
    """A study whose recordings lie in a storage, as ``study.yaml`` says."""
    _move(study, memory, "/laboratory/may")
    manifest = study.path / "study.yaml"
    manifest.write_text(manifest.read_text() + f"recordings: {PLACE}\n")
    return study


@pytest.fixture
def allowed(opened, calls):
    def open_home(**settings):
        return opened(storage={"places": ["memory://laboratory/"], **settings})

    return open_home


def _shas(ctx):
    with ctx.store.reading() as session:
        return {row.path.rpartition("/")[2]: row.sha256 for row in session.scalars(_all(Recording))}


def _all(table):
    return select(table).order_by(table.key)


def test_a_study_is_run_from_a_storage(allowed, stored):
    outcomes = run_study(allowed(), stored.path)
    assert [o.exit_code for o in outcomes] == [0, 0, 0, 0]
    assert outcomes[0].done == 6


def test_what_is_done_is_neither_fetched_nor_done_again(allowed, stored, memory, calls):
    ctx = allowed()
    ingest_study(ctx, stored.path)
    for folder in (ctx.home / "cache").iterdir():
        if not folder.name.startswith("."):
            (folder / "content").rename(folder / "gone")  # whoever opened a copy would fail
    assert ingest_study(ctx, stored.path).skipped == 6
    assert calls["ingest"] == 6


def test_a_moved_recording_is_the_same_recording(allowed, study, memory, calls):
    ctx = allowed()
    ingest_study(ctx, study.path)
    before = _shas(ctx)
    _move(study, memory, "/laboratory/may")
    manifest = study.path / "study.yaml"
    manifest.write_text(manifest.read_text() + f"recordings: {PLACE}\n")
    outcome = ingest_study(ctx, study.path)
    assert _shas(ctx) == before
    assert (outcome.skipped, calls["ingest"]) == (6, 6)


def test_a_changed_recording_is_found_out(allowed, stored, memory):
    ctx = allowed()
    ingest_study(ctx, stored.path)
    memory.pipe_file("/laboratory/may/recordings/U1.avi", b"round " * 8)
    outcome = ingest_study(ctx, stored.path)
    assert (outcome.done, outcome.skipped) == (1, 5)


def test_a_missing_recording_is_quarantined_and_the_others_go_on(
    allowed, stored, memory, no_waiting
):
    memory.rm("/laboratory/may/recordings/U1.avi")
    outcome = ingest_study(allowed(), stored.path)
    assert outcome.done == 5
    assert outcome.quarantined == [("U1", f"{PLACE}/recordings/U1.avi: the recording is not there")]
    assert no_waiting == []  # waiting would not bring it


def test_a_bad_recording_is_named_by_its_address(allowed, stored, memory):
    memory.pipe_file("/laboratory/may/recordings/U1.avi", b"")
    outcome = ingest_study(allowed(), stored.path)
    assert outcome.quarantined == [("U1", f"{PLACE}/recordings/U1.avi: the recording has no cells")]


class Flaky:
    """A storage whose first answers are errors."""

    def __init__(self, monkeypatch, errors):
        self.errors, self.real = list(errors), asking.open_storage
        monkeypatch.setattr(asking, "open_storage", self._open)

    def _open(self, *arguments):
        if self.errors:
            raise self.errors.pop(0)
        return self.real(*arguments)


def test_a_hiccup_of_the_network_is_waited_for(allowed, stored, monkeypatch, no_waiting):
    Flaky(monkeypatch, [ConnectionError("reset"), TimeoutError()])
    assert ingest_study(allowed(), stored.path).done == 6
    assert no_waiting == list(asking.WAITS_S[:2])


def test_a_storage_that_is_down_sets_nobody_aside(allowed, stored, monkeypatch):
    ctx = allowed()
    ingest_study(ctx, stored.path)
    Flaky(monkeypatch, [ConnectionError("refused")] * 99)
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        ingest_study(ctx, stored.path)
    assert "repeat" in caught.value.next_step
    with ctx.store.reading() as session:
        assert all(row.current for row in session.scalars(_all(CellFile)))


def test_only_places_that_are_allowed_are_asked(opened, calls, stored, monkeypatch):
    monkeypatch.setattr(asking, "open_storage", None)
    outcome = ingest_study(opened(), stored.path)
    assert len(outcome.quarantined) == 6
    assert "may not be fetched" in outcome.quarantined[0][1]
    outcome = ingest_study(opened(storage={"places": ["memory://lab"]}), stored.path)
    assert len(outcome.quarantined) == 6  # a place ends at a slash


def test_an_address_may_stand_in_the_sheet_itself(allowed, study, memory):
    memory.pipe_file("/laboratory/U9.avi", b"round " * 9)
    study.rows["U1"]["recording"] = "memory://laboratory/U9.avi"
    study.rows["U1"]["specimen_id"] = "U9"
    study.write()
    outcome = ingest_study(allowed(), study.path)
    assert (outcome.done, outcome.quarantined) == (6, [])


def test_an_address_that_leads_elsewhere_is_refused(allowed, study):
    study.rows["U1"]["recording"] = "memory://laboratory/../secret/U1.avi"
    study.write()
    outcome = ingest_study(allowed(), study.path)
    assert [name for name, _ in outcome.quarantined] == ["U1"]


@pytest.mark.parametrize("address", ["memory://lab/frames", "memory://lab/frames/*.png"])
def test_a_recording_of_many_pictures(memory, tmp_path, address):
    local = tmp_path / "frames"
    local.mkdir()
    for number in range(3):
        (local / f"{number}.png").write_bytes(bytes([number]))
        memory.pipe_file(f"/lab/frames/{number}.png", bytes([number]))
    settings = Settings(home=tmp_path, storage={"places": ["memory://lab/"]})
    found = storage.find(address, settings)
    from flows.identity import find_recording

    of_files = find_recording(tmp_path, "frames", settings)
    assert (found.sha256(), found.size) == (of_files.sha256(), 3)
    stored = storage.stored_of(address, found.stamp, found.sha256(), settings)
    with storage.fetched(stored) as (recording, folder):
        files = sorted(folder.glob(recording) if "*" in recording else folder.iterdir())
        assert [file.read_bytes() for file in files] == [b"\0", b"\1", b"\2"]


def test_a_recording_that_changes_under_the_work_is_not_taken_for_another(memory, tmp_path):
    memory.pipe_file("/lab/a.avi", b"one")
    settings = Settings(home=tmp_path, storage={"places": ["memory://lab/"]})
    found = storage.find("memory://lab/a.avi", settings)
    stored = storage.stored_of("memory://lab/a.avi", found.stamp, found.sha256(), settings)
    memory.pipe_file("/lab/a.avi", b"two")
    with pytest.raises(StoreError, match="being changed"), storage.fetched(stored):
        pass


def test_the_cache_is_bounded(allowed, stored):
    ctx = allowed(cache_gigabytes=250e-9)  # 250 bytes; a recording has up to 90
    ingest_study(ctx, stored.path)
    kept = [path for path in (ctx.home / "cache").iterdir() if not path.name.startswith(".")]
    assert 1 <= len(kept) < 6


def test_an_unknown_kind_is_said_in_words(tmp_path):
    settings = Settings(home=tmp_path, storage={"places": ["nonsense://lab/"]})
    with pytest.raises(StoreError, match="of the kind nonsense"):
        storage.find("nonsense://lab/a.avi", settings)


@pytest.mark.integration
@pytest.mark.skipif(
    not (find_spec("s3fs") and find_spec("moto")),
    reason="s3fs and moto are not installed: pip install 'cellcensus[dev]'",
)
def test_a_server_that_speaks_s3(opened, calls, study, monkeypatch):
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    options = {"endpoint_url": f"http://{host}:{port}", "key": "test", "secret": "test"}
    try:
        fs = fsspec.filesystem("s3", **options)
        fs.mkdir("laboratory")
        _move(study, fs, "laboratory/may")
        manifest = study.path / "study.yaml"
        manifest.write_text(manifest.read_text() + "recordings: s3://laboratory/may/\n")
        fs.rm("laboratory/may/recordings/B1.avi")
        ctx = opened(storage={"places": ["s3://laboratory/"], "options": {"s3": options}})
        outcome = ingest_study(ctx, study.path)
        assert (outcome.done, [name for name, _ in outcome.quarantined]) == (5, ["B1"])
        fs.pipe_file("laboratory/may/recordings/U1.avi", b"round " * 8)
        assert ingest_study(ctx, study.path).done == 1
        with pytest.raises(RecordingError, match="not there"):
            storage.find("s3://laboratory/none/*.png", ctx.settings)
    finally:
        server.stop()
