"""Blur, threshold, closing and outlines are OpenCV's, to the pixel."""

import cv2
import numpy as np
import pytest

from pipeline.kernels.contours import find_borders
from pipeline.kernels.depth import depth_of, rough_depth_of
from pipeline.kernels.fill import fill_outline
from pipeline.kernels.ground import WORD, bench, mark_off
from pipeline.kernels.trace import border_of_largest, largest_part, trace_border

DARK, BRIGHT, BOTH = (True, False), (False, True), (True, True)
CROSS = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))


def clouds(shape, seed, sigma=1.5):
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.normal(0, 1, shape).astype(np.float32), (0, 0), sigma)
    return noise / max(float(noise.std()), 1e-6)


def off_by_opencv(frame, low, high, signs):
    small = cv2.GaussianBlur(frame, (3, 3), 0)
    if signs == DARK:
        off = cv2.compare(small, low, cv2.CMP_LT)
    elif signs == BRIGHT:
        off = cv2.compare(small, high, cv2.CMP_GT)
    else:
        off = cv2.bitwise_not(cv2.inRange(small, low, high))
    return small, cv2.morphologyEx(off, cv2.MORPH_CLOSE, CROSS)


@pytest.mark.parametrize("signs", [DARK, BRIGHT, BOTH])
@pytest.mark.parametrize(("dtype", "scale"), [(np.uint8, 1), (np.uint16, 200)])
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (30, 1), (2, 9), (33, 64), (57, 70)])
def test_what_is_off_and_its_outlines(shape, dtype, scale, signs):
    for seed in range(12):
        frame = (np.clip(100 + 30 * clouds(shape, seed), 0, 255) * scale).astype(dtype)
        low, high = np.full(shape, 85 * scale, dtype), np.full(shape, 120 * scale, dtype)
        small, off = off_by_opencv(frame, low, high, signs)
        room = bench(shape, frame.dtype)
        mark_off(frame, low, high, signs, room)
        assert np.array_equal(room.small, small)
        assert np.array_equal(room.mask[1:-1, WORD : WORD + shape[1]], off > 0)
        assert room.mask.sum() == np.count_nonzero(off)
        expected, _ = cv2.findContours(off, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        points, starts = find_borders(room.mask, room.mask.view(np.uint64), 1)
        assert len(starts) == len(expected) + 1
        for index, contour in enumerate(expected):
            found = points[starts[index] : starts[index + 1]]
            assert np.array_equal(found, contour.reshape(-1, 2))


def test_short_outlines_are_left_out_and_many_are_room_for():
    mask = bench((90, 1400), np.uint8).mask
    mask[1:-1:3, WORD : WORD + 1400 : 3] = 1
    mask[40:60, 300:400] = 1
    points, starts = find_borders(mask.copy(), mask.copy().view(np.uint64), 1)
    assert len(starts) > 10_000
    one = mask.copy()
    points, starts = find_borders(one, one.view(np.uint64), 100)
    assert len(starts) == 2
    assert len(points) >= 100


@pytest.mark.parametrize("seed", range(20))
def test_masks_from_outlines_and_back(seed):
    mask = (clouds((40, 44), seed, 1 + seed % 3) > 0.05).astype(np.uint8) * 255
    mask[[0, -1]] = mask[:, [0, -1]] = 0
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for outline in outlines:
        for shrink in (1, 2, 3):
            larger = np.rint(outline * float(shrink) + (shrink - 1) / 2).astype(np.int32)
            shape = (40 * shrink, 44 * shrink)
            expected, found = np.zeros((2, *shape), np.uint8)
            cv2.drawContours(expected, [larger], -1, 255, cv2.FILLED)
            fill_outline(outline.reshape(-1, 2), 0, 0, shrink, found)
            assert np.array_equal(found, expected)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    row, column = largest_part(mask, 255)
    assert stats[labels[row, column], cv2.CC_STAT_AREA] == stats[1:, cv2.CC_STAT_AREA].max()
    own = (labels == labels[row, column]).astype(np.uint8)
    expected, _ = cv2.findContours(own, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    assert np.array_equal(trace_border(mask, 255, row, column), expected[0].reshape(-1, 2))


def test_a_mask_that_the_border_cuts_is_filled_as_far_as_there_is_a_picture():
    drawn = np.zeros((60, 60), np.uint8)
    cv2.ellipse(drawn, (30, 30), (22, 14), 30, 0, 360, 255, -1)
    outlines, _ = cv2.findContours(drawn, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for left, top in ((0, 0), (25, 0), (0, 35), (25, 28), (-5, -9)):
        found = np.zeros((24, 28), np.uint8)
        fill_outline(outlines[0].reshape(-1, 2), left, top, 1, found)
        wide = np.pad(drawn, 40)[40 + top : 64 + top, 40 + left : 68 + left]
        assert np.array_equal(found, wide)


def test_the_border_of_the_largest_part():
    regions = np.zeros((20, 30), np.uint8)
    regions[2:4, 2:5] = 7
    regions[8:16, 10:20] = 7
    regions[8:16, 21:28] = 3
    border = border_of_largest(regions, 7)
    assert border.min(axis=0).tolist() == [10, 8]
    assert border.max(axis=0).tolist() == [19, 15]
    assert len(border_of_largest(regions, 5)) == 0


@pytest.mark.parametrize(("ours", "size"), [(depth_of, 5), (rough_depth_of, 3)])
def test_depth_is_the_distance_to_the_outside(ours, size):
    for seed in range(10):
        mask = (clouds((41, 36), seed, 3) > -0.3).astype(np.uint8)
        expected = cv2.distanceTransform(mask, cv2.DIST_L2, size)
        assert ours(mask) == pytest.approx(expected, abs=2e-4)
