import numpy as np
import pytest

from pipeline.background import event_background, spatial_background, temporal_background
from tests.pipeline.drawing import disc, draw

SHAPE = (96, 128)


def uneven():
    rows, columns = np.indices(SHAPE)
    return 150 + 25 * columns / SHAPE[1] - 15 * (rows / SHAPE[0]) ** 2


def test_moving_cells_and_flicker_leave_no_trace_in_the_temporal_background():
    frames = []
    for index in range(24):
        light = 1 + 0.04 * np.sin(index)
        image = uneven() * (1 - 0.4 * disc(SHAPE, 6 * index, 48, 22)) * light
        frames.append(np.rint(image).astype(np.uint8))
    background = temporal_background(frames)
    scale = np.median(background.image / uneven())
    assert np.abs(background.image / scale - uneven()).max() < 1.5


@pytest.mark.parametrize("light", [0.8, 1.0, 1.1])
def test_gain_is_the_brightness_of_the_frame_not_of_its_cells(light):
    background = temporal_background([draw(SHAPE, [], seed=seed) for seed in range(9)])
    frame = draw(SHAPE, [(40, 40, 30), (90, 50, 30)], level=160 * light)
    assert background.gain(frame) == pytest.approx(light, abs=0.004)


def test_following_moves_only_where_nothing_covers_the_background():
    background = temporal_background([draw(SHAPE, [], noise=0)] * 3)
    boxes = np.array([[0, 0, 48, SHAPE[0]]])
    moved = background.follow(np.full(SHAPE, 360, np.uint16), 2.0, boxes, 0.5)
    assert moved.image[0, 0] == 160
    assert moved.image[0, 100] == 170
    assert (background.image == 160).all()


def test_a_cell_in_the_middle_of_every_event_is_no_background():
    sizes = np.random.default_rng(1).uniform(20, 40, 30)
    frames = [np.rint(uneven() - 50 * disc(SHAPE, 64, 48, size)).astype(np.uint8) for size in sizes]
    assert np.abs(event_background(frames).image - uneven()).max() < 4


@pytest.mark.parametrize("depth", [60, -60])
def test_a_single_frame_shows_its_own_background(depth):
    frame = draw(SHAPE, [(40, 40, 20), (90, 60, 16)], depth=depth)
    background = spatial_background(frame, 24, dark=depth > 0)
    assert np.abs(background.image - 160).max() < 4


def test_black_has_no_brightness_and_does_not_change():
    frames = [draw(SHAPE, [], level=1.0, seed=seed) for seed in range(9)]
    background = temporal_background(frames)
    assert background.gain(draw(SHAPE, [], level=30.0)) == 1.0
    moved = background.follow(frames[0], 1.0, np.zeros((0, 4), np.int64), 0.5)
    assert moved.change() == 1.0
