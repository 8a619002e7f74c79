"""Blur, threshold, closing and outlines are OpenCV's, to the pixel."""

import cv2
import numpy as np
import pytest

from pipeline.kernels.bits import PIXELS, empty_mask, lowest_bit, pack_row, unpack_word
from pipeline.kernels.contours import canvas, find_borders
from pipeline.kernels.depth import depth_of, rough_depth_of
from pipeline.kernels.fill import fill_outline
from pipeline.kernels.ground import bench, blur_row, mark_off
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


def packed(mask):
    """Bits of a mask of 0 and 1."""
    result = empty_mask(mask.shape)
    wide = np.zeros((len(mask), (result.shape[1] - 2) * PIXELS), np.uint8)
    wide[:, : mask.shape[1]] = mask
    for row, line in enumerate(wide, 1):
        pack_row(line.view(np.uint64), result[row, 1:-1])
    return result


def unpacked(bits):
    """A mask of 0 and 1 of bits."""
    result = np.zeros((*bits.shape, PIXELS), np.uint8)
    for place in np.ndindex(bits.shape):
        unpack_word(bits[place], result[place].view(np.uint64))
    return result.reshape(len(bits), -1)[1:-1, PIXELS:]


def borders(bits, shortest):
    paper = canvas(bits)
    found = find_borders(bits, paper, paper.view(np.uint8), shortest)
    assert not paper.any()
    return found


@pytest.mark.parametrize("width", [1, 8, 63, 64, 65, 200])
def test_bits_of_a_mask_and_back(width):
    mask = (clouds((7, width), width, 0.5) > 0.8).astype(np.uint8)
    bits = packed(mask)
    expected = np.packbits(mask, axis=1, bitorder="little")
    assert np.array_equal(bits.view(np.uint8)[1:-1, 8 : 8 + expected.shape[1]], expected)
    assert np.array_equal(unpacked(bits)[:, :width], mask)
    assert all(lowest_bit(np.uint64(1 << bit | 1 << 63)) == bit for bit in range(PIXELS))


@pytest.mark.parametrize("signs", [DARK, BRIGHT, BOTH])
@pytest.mark.parametrize(("dtype", "scale"), [(np.uint8, 1), (np.uint16, 200)])
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (30, 1), (2, 9), (33, 64), (57, 70), (40, 190)])
def test_what_is_off_and_its_outlines(shape, dtype, scale, signs):
    room = bench(shape, dtype)
    for seed in range(12):
        frame = (np.clip(100 + 30 * clouds(shape, seed), 0, 255) * scale).astype(dtype)
        # In every other seed most of it is bare.
        low, high = ((85, 120), (45, 165))[seed % 2]
        low, high = np.full(shape, low * scale, dtype), np.full(shape, high * scale, dtype)
        _, off = off_by_opencv(frame, low, high, signs)
        mark_off(frame, low, high, signs, room)
        found = unpacked(room.closed)
        assert np.array_equal(found[:, : shape[1]], off > 0)
        assert found.sum() == np.count_nonzero(off)
        expected, _ = cv2.findContours(off, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        points, starts = borders(room.closed, 1)
        assert len(starts) == len(expected) + 1
        for index, contour in enumerate(expected):
            found = points[starts[index] : starts[index + 1]]
            assert np.array_equal(found, contour.reshape(-1, 2))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (6, 1), (2, 2), (5, 9)])
def test_any_part_of_a_row_is_blurred_like_the_whole(shape, dtype):
    frame = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    expected = cv2.GaussianBlur(frame, (3, 3), 0)
    sums = bench(shape, dtype).sums
    for row, left in np.ndindex(shape):
        for right in range(left + 1, shape[1] + 1):
            part = np.zeros(right - left, dtype)
            blur_row(frame, row, left, right, sums, part)
            assert np.array_equal(part, expected[row, left:right])


def test_short_outlines_are_left_out_and_many_are_room_for():
    mask = np.zeros((90, 1400), np.uint8)
    mask[::3, ::3] = 1
    mask[40:60, 300:400] = 1
    _, starts = borders(packed(mask), 1)
    assert len(starts) > 10_000
    points, starts = borders(packed(mask), 100)
    assert len(starts) == 2
    assert len(points) >= 100


def test_what_lies_in_a_hole_is_left_out_and_what_lies_beside_it_is_not():
    mask = np.zeros((60, 400), np.uint8)
    mask[5:50, 20:120] = 1
    mask[10:45, 30:100] = 0
    mask[20:30, 40:90] = 1
    mask[22:26, 300:310] = 1
    _, starts = borders(packed(mask), 1)
    assert len(starts) == 3


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


def test_a_border_of_any_length_is_followed():
    regions = np.zeros((60, 90), np.uint8)
    regions[2:58:4, 2:88] = regions[2:58, 2:5] = 9  # a comb
    expected, _ = cv2.findContours(regions, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    assert len(expected[0]) > 1024
    assert np.array_equal(trace_border(regions, 9, 2, 2), expected[0].reshape(-1, 2))


@pytest.mark.parametrize(("ours", "size"), [(depth_of, 5), (rough_depth_of, 3)])
def test_depth_is_the_distance_to_the_outside(ours, size):
    for seed in range(10):
        mask = (clouds((41, 36), seed, 3) > -0.3).astype(np.uint8)
        expected = cv2.distanceTransform(mask, cv2.DIST_L2, size)
        assert ours(mask) == pytest.approx(expected, abs=2e-4)
