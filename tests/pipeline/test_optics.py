import numpy as np
import pytest

from cellcensus.study import Polarity
from pipeline.background import temporal_background
from pipeline.optics import estimate_optics
from tests.pipeline.drawing import draw

SHAPE = (120, 160)
CELLS = [(30, 40, 20), (80, 60, 14), (130, 90, 30)]


def film(cells, **how):
    """Frames of which the last few show cells."""
    frames = [draw(SHAPE, [], seed=seed, **how) for seed in range(7)]
    return frames + [draw(SHAPE, cells, seed=90 + seed, **how) for seed in range(3)]


def optics(frames, bare=None):
    background = temporal_background(bare or frames)
    return estimate_optics(
        frames,
        [background] * len(frames),
        diameter_px=(10.0, 60.0),
        polarity=None,
        noise_factor=4.5,
    )


@pytest.mark.parametrize(
    "how", [{}, {"depth": 12.0}, {"depth": 140.0}, {"depth": -60.0}, {"level": 90.0, "depth": 70.0}]
)
def test_contrast_is_measured_in_the_background(how):
    level = optics(film(CELLS, **how)).level
    assert level == pytest.approx(how.get("level", 160.0), abs=1)


@pytest.mark.parametrize(
    ("level", "depth"), [(0.0, -40.0), (12.0, -90.0), (60.0, -180.0), (98.0, -150.0)]
)
def test_on_dark_ground_cells_nearly_fill_the_scale(level, depth):
    found = optics(film(CELLS, level=level, depth=depth))
    assert found.polarity is Polarity.BRIGHT
    assert 0.8 < found.contrast / found.level < 0.95


def test_a_speck_does_not_decide_how_bright_cells_are_shown():
    cells = [(x, y, 20) for x in (20, 60, 100, 140) for y in (30, 70)]
    frames = film(cells, level=40.0, depth=-80.0)
    frames[-1][104:116, 70:82] = 250
    assert optics(frames).level == pytest.approx(80 / 0.9, rel=0.1)


def test_frames_without_light_are_left_out():
    frames = film(CELLS)
    dark = [np.zeros_like(frames[0])] * 3
    assert optics(frames[:5] + dark + frames[5:], bare=film([])) == optics(frames, bare=film([]))


def test_on_dark_ground_without_cells_the_brightest_stands_in():
    found = optics(film([], level=2.0))
    assert 1 <= found.level < 10
    assert np.isnan(found.contrast)
