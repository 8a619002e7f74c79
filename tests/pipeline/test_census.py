import numpy as np
import pytest

from cellcensus.errors import RecordingError
from cellcensus.settings import IngestSettings
from cellcensus.study import Acquisition, CellHints, Mode
from pipeline.census import take_census
from tests.pipeline.drawing import Film, draw

SHAPE = (160, 240)
FLOW = Acquisition(Mode.FLOW, 0.5, 50.0)


def flowing(number=30, frames=90, speed=24.0, seed=1, cut=False):
    """Cells on their own lanes in turn, dirt that stays, debris that flows; how many cells."""
    rng = np.random.default_rng(seed)
    lanes = np.tile([30.0, 65.0, 100.0, 135.0], number)[:number]
    size = rng.uniform(15, 26, number)
    last = 0 if cut else -20
    start = -20 - np.sort(rng.uniform(-last, frames * speed * 0.6, number))
    start[4:] = np.minimum(start[4:], start[:-4] - 30) if number > 4 else start[4:]
    pictures, seen = [], set()
    for frame in range(frames):
        x = start + speed * frame
        seen |= set(np.flatnonzero((x >= 0) & (x <= SHAPE[1] - 1)).tolist())
        shown = [(x[i], lanes[i], size[i]) for i in range(number) if -30 < x[i] < 270]
        dirt = [(180, 50, 12)]
        debris = [((11 * frame) % 300 - 30, 80, 5)]
        pictures.append(draw(SHAPE, [*shown, *dirt, *debris], seed=frame))
    return Film(pictures), len(seen)


def census(film, acquisition=FLOW, **settings):
    return take_census(
        film, acquisition=acquisition, hints=CellHints(), settings=IngestSettings(**settings)
    )


def test_every_flowing_cell_once_and_neither_dirt_nor_debris():
    film, number = flowing()
    result = census(film)
    assert len(result.table["cell_id"]) == number
    assert result.figures["flow_speed_px"] == pytest.approx(24, abs=0.5)
    assert result.figures["flow_direction_deg"] == pytest.approx(0, abs=1)
    assert result.table["speed_um_s"] == pytest.approx(24 * 0.5 * 50, rel=0.03)


def test_table_crops_and_figures_keep_their_promises():
    film, number = flowing()
    result = census(film, views=4)
    assert result.crops.shape == (number, 4, 48, 48)
    assert result.crops.dtype == np.uint8
    assert {len(column) for column in result.table.values()} == {number}
    assert (result.table["first_frame"] <= result.table["best_frame"]).all()
    assert (result.table["best_frame"] <= result.table["last_frame"]).all()
    assert (result.table["n_views"] == 4).all()
    assert result.figures["window_um"] == 20.0
    assert result.figures["n_frames"] == 90
    # 20 µm of 48 pixels: a cell covers its share, everything else is background.
    dark = (result.crops[:, 0] < 104).sum(axis=(1, 2))
    expected = result.table["area_um2"] * (48 / 20) ** 2
    assert dark == pytest.approx(expected, rel=0.12)


def test_same_recording_same_numbers():
    one, two = census(flowing()[0]), census(flowing()[0])
    assert np.array_equal(one.crops, two.crops)
    for name, column in one.table.items():
        assert np.array_equal(column, two.table[name]), name


def test_fields_count_every_cell_of_every_frame():
    rng = np.random.default_rng(0)
    frames, number = [], 0
    for index in range(12):
        places = [(30 + 60 * i + rng.uniform(-8, 8), rng.uniform(25, 135), 20) for i in range(4)]
        number += len(places)
        frames.append(draw(SHAPE, places, seed=index))
    result = census(Film(frames), Acquisition(Mode.FIELDS, 0.5))
    assert len(result.table["x"]) == number
    assert np.isnan(result.table["speed_um_s"]).all()


def test_two_fields_are_enough():
    frames = [draw(SHAPE, [(60, 60, 20), (150, 100, 24)], seed=index) for index in range(2)]
    assert len(census(Film(frames), Acquisition(Mode.FIELDS, 0.5)).table["x"]) == 4


def test_events_hold_one_cell_each():
    rng = np.random.default_rng(0)
    frames = [
        draw((64, 96), [(48 + rng.normal(0, 2), 32, rng.uniform(15, 25))], seed=index)
        for index in range(30)
    ]
    result = census(Film(frames), Acquisition(Mode.EVENTS, 0.5))
    assert result.table["best_frame"].tolist() == list(range(30))


def test_an_empty_channel_holds_nothing():
    result = census(Film([draw(SHAPE, [], seed=index) for index in range(20)]))
    assert len(result.table["x"]) == 0
    assert result.crops.shape == (0, 3, 48, 48)
    assert np.isnan(result.figures["focus_median"])


def test_no_frame_is_an_error():
    film = Film([draw(SHAPE, [])])
    film.stack = []
    with pytest.raises(RecordingError) as caught:
        census(film)
    assert caught.value.code == "no_frames"


def test_memory_does_not_grow_with_the_recording():
    from pipeline import census as module

    film, _ = flowing(number=12, frames=40)
    film.stack = film.stack * 8
    kept = []
    real = module.OverFrames.take

    def counted(self, frame):
        real(self, frame)
        if self._linker:
            kept.append((self._best.rows, len(self._linker.tracks)))

    module.OverFrames.take = counted
    try:
        census(film)
    finally:
        module.OverFrames.take = real
    views, tracks = np.array(kept).T
    assert max(views) <= 64
    assert max(tracks) <= 128


def test_pale_clumps_of_a_cell_s_size_are_no_cells():
    frames = []
    for index in range(16):
        # Placed so that a pixel shows the background most of the time.
        cells = [(20 + (60 * i + 23 * index) % 200, 25 + 25 * (i % 3), 20) for i in range(3)]
        picture = draw(SHAPE, cells, seed=index)
        pale = draw(SHAPE, [(20 + 12 * index, 130, 13)], depth=18, noise=0) - 160.0
        frames.append(np.clip(picture + pale, 0, 255).astype(np.uint8))
    result = census(Film(frames), Acquisition(Mode.FIELDS, 0.5))
    assert len(result.table["x"]) == 48
    assert result.figures["slight"] == 16
