"""Where cells were seen is stored beside them, and read back frame by frame."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from cellcensus.errors import StoreError
from cellcensus.settings import IngestSettings
from cellcensus.study import Acquisition, CellHints, Mode
from pipeline import sightings
from pipeline.cells import read_cells
from pipeline.ingest import ingest
from pipeline.tracks import NOT_COUNTED, has_tracks, seen_in
from tests.pipeline import rendering


def run(folder, mode=Mode.FLOW, recording="a.avi"):
    out = folder / "home" / "cells"
    acquisition = Acquisition(mode, pixel_size_um=0.6, frame_rate_hz=50)
    ingest(
        recording, folder=folder, acquisition=acquisition, hints=CellHints(),
        settings=IngestSettings(), out=out, specimen_id="U01",
    )  # fmt: skip
    return out


@pytest.fixture
def film(tmp_path):
    rendering.write_video(tmp_path / "a.avi", rendering.flowing_discs()[0], "FFV1")
    return tmp_path


def test_every_cell_has_a_sighting_in_each_of_its_frames(film, monkeypatch):
    monkeypatch.setattr(sightings, "_CHUNK", 7)  # many pieces must read like one
    out = run(film)
    table = read_cells(out).table
    stored = pq.read_table(out / "tracks.parquet")
    cell, frame = stored["cell_id"].to_numpy(), stored["frame"].to_numpy()
    for index, number in enumerate(table["cell_id"]):
        frames = frame[cell == number]
        assert len(frames) == table["n_frames"][index]
        assert (frames[0], frames[-1]) == (table["first_frame"][index], table["last_frame"][index])


def test_a_frame_shows_outlines_around_the_cells_and_their_ways(film):
    out = run(film)
    table = read_cells(out).table
    best = int(table["best_frame"][0])
    seen = {thing.cell_id: thing for thing in seen_in(out, best)}
    first = seen[0]
    assert (first.x, first.y) == pytest.approx((table["x"][0], table["y"][0]))
    left, top = first.outline.min(axis=0)
    right, bottom = first.outline.max(axis=0)
    assert right - left == pytest.approx(table["width"][0], abs=3)
    assert bottom - top == pytest.approx(table["height"][0], abs=3)
    assert len(first.way) == table["n_frames"][0]
    assert np.all(np.diff(first.way[:, 0]) > 0)


def test_in_fields_each_sighting_is_a_cell_of_its_own(tmp_path):
    pictures = rendering.flowing_discs(frames=6, speed=100, n_cells=30)[0]
    rendering.write_pictures(tmp_path / "U01", pictures)
    out = run(tmp_path, Mode.FIELDS, "U01")
    stored = pq.read_table(out / "tracks.parquet")["cell_id"].to_numpy()
    counted = stored[stored != NOT_COUNTED]
    assert sorted(counted) == list(range(len(read_cells(out))))


def test_a_frame_without_cells_is_empty(film):
    out = run(film)
    assert seen_in(out, 10_000) == []


def test_older_cells_have_no_tracks_and_a_damaged_file_is_named(tmp_path):
    assert not has_tracks(tmp_path)
    (tmp_path / "tracks.parquet").write_bytes(b"no parquet")
    assert has_tracks(tmp_path)
    with pytest.raises(StoreError, match="tracks"):
        seen_in(tmp_path, 0)
