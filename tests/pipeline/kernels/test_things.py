import numpy as np
import pytest

from pipeline.kernels.crowd import gaps
from pipeline.kernels.follow import followed
from pipeline.kernels.ground import bench
from pipeline.kernels.level import gain_over, highest_but
from pipeline.kernels.sharp import sharpness_of
from pipeline.kernels.things import Limits, are_things

BOTH, DARK, BRIGHT = (True, True), (True, False), (False, True)
# Clearly large from 400 pixels; 20 grey values; ends at 0.4; 9 pixels; 100 of mass.
LIMITS = Limits(400.0, 20.0, 0.4, 9.0, 100.0, 10.0, 5000.0, 0.9)
BARE = np.full((40, 60), 100, np.float32)


def is_thing(depth, side, signs, gain=1.0):
    frame = np.full((40, 60), 100, np.uint8)
    frame[10 : 10 + side, 20 : 20 + side] = 100 - depth
    frame = np.rint(frame * gain).astype(np.uint8)
    outline = np.array([[0, 0, side**2, 1, 20, 10, side, side]], float)
    sums = bench(frame.shape, frame.dtype).sums
    return bool(are_things(frame, (BARE, gain), outline, LIMITS, signs, sums)[0])


@pytest.mark.parametrize("side", [6, 24])
@pytest.mark.parametrize("gain", [1.0, 0.8])
def test_enough_contrast_of_the_right_sign(side, gain):
    assert is_thing(40, side, DARK, gain)
    assert is_thing(-40, side, BRIGHT, gain)
    assert is_thing(40, side, BOTH, gain)
    assert is_thing(-40, side, BOTH, gain)
    assert not is_thing(40, side, BRIGHT, gain)
    assert not is_thing(-40, side, DARK, gain)
    assert not is_thing(15, side, BOTH, gain)


def test_too_small_and_too_slight_things_are_none():
    assert not is_thing(40, 2, DARK)
    assert not is_thing(21, 2, DARK)


@pytest.mark.parametrize("number", [0, 1, 40, 199])
def test_the_highest_but_some_is_what_sorting_says(number):
    values = np.random.default_rng(number).normal(20, 9, 400).astype(np.float32)
    expected = np.sort(values)[::-1][number]
    assert highest_but(values, number) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_gain_is_the_mean_of_ratios_near_their_median(dtype):
    rng = np.random.default_rng(1)
    frame = rng.normal(150, 3, 5000).astype(dtype)
    frame[rng.random(5000) < 0.2] = 60  # cells
    places = np.sort(rng.choice(5000, 900, replace=False))
    inverse = (1 / rng.normal(160, 1, 900)).astype(np.float32)
    ratio = frame[places] * inverse
    near = ratio[np.abs(ratio - np.median(ratio)) < 0.04]
    assert gain_over(frame, places, inverse) == pytest.approx(near.mean(), rel=1e-4)


def test_gaps_are_the_least_distance_between_edges():
    found = gaps(np.array([0.0, 10, 40]), np.zeros(3), np.array([2.0, 3, 4]))
    assert found.tolist() == [5, 5, 23]
    assert np.isinf(gaps(np.zeros(1), np.zeros(1), np.ones(1))[0])


def test_a_picture_follows_only_where_it_is_free():
    boxes = np.array([[20, 10, 16, 8], [-4, 30, 9, 20], [57, -2, 30, 6]])
    frame = np.full((40, 60), 50, np.uint16)
    moved = followed(np.full((40, 60), 100, np.float32), frame, 1.2, boxes, 0.25)
    expected = np.full((40, 60), 0.75 * 100 + 0.25 * 60)
    # With three pixels of room and an eighth of the longer side.
    expected[5:23, 15:41] = expected[25:, :10] = expected[:10, 51:] = 100
    assert moved == pytest.approx(expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_sharpness_of_boxes_is_that_of_their_pixels(dtype):
    import cv2

    frame = np.random.default_rng(0).integers(0, 255, (50, 70)).astype(dtype)
    boxes = np.array([[5, 6, 20, 11], [-4, 40, 30, 30], [60, 3, 2, 20]])
    found = sharpness_of(frame, boxes)
    for (left, top, width, height), value in zip(boxes[:2].tolist(), found, strict=False):
        part = frame[max(top, 0) : top + height, max(left, 0) : left + width].astype(np.float64)
        assert value == pytest.approx(cv2.Laplacian(part, cv2.CV_64F).std() / part.std())
    assert found[2] == 0
