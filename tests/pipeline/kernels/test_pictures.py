"""Smoothing, widening and sampling of small pictures are OpenCV's."""

import cv2
import numpy as np
import pytest

from pipeline.kernels.hull import hull_size
from pipeline.kernels.sample import sample
from pipeline.kernels.smooth import box_mean, gaussian, hat_mean
from pipeline.kernels.widen import widen
from tests.pipeline.kernels.test_borders import clouds


@pytest.mark.parametrize("shape", [(31, 36), (3, 50), (5, 2)])
@pytest.mark.parametrize("sigma", [0.4, 0.64, 1.25, 2.0])
def test_a_gaussian_mean(shape, sigma):
    values = clouds(shape, 0, 0.5)
    for mirrored, border in ((True, cv2.BORDER_REFLECT_101), (False, cv2.BORDER_CONSTANT)):
        expected = cv2.GaussianBlur(values, (0, 0), sigma, borderType=border)
        assert gaussian(values, sigma, mirrored) == pytest.approx(expected, abs=2e-6)


def test_means_of_nine_pixels():
    values = clouds((31, 36), 1, 0.5)
    assert box_mean(values) == pytest.approx(cv2.blur(values, (3, 3)), abs=1e-6)
    assert hat_mean(values) == pytest.approx(cv2.GaussianBlur(values, (3, 3), 0), abs=1e-6)


@pytest.mark.parametrize("radius", range(1, 9))
def test_a_widened_mask(radius):
    mask = (clouds((40, 44), radius, 3) > 0.6).astype(np.uint8) * 255
    size = 2 * radius + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    assert np.array_equal(widen(mask, radius) > 0, cv2.dilate(mask, disc) > 0)


@pytest.mark.parametrize("step", [0.5, 0.69, 0.71, 1.04, 1.74])
@pytest.mark.parametrize("centre", [(21.3, 19.8), (-3.0, 40.2)])
def test_a_sampled_picture(step, centre):
    values = 0.3 * clouds((40, 44), 2, 1)
    side = 48
    shift = step * (side - 1) / 2
    matrix = np.array([[step, 0, centre[0] - shift], [0, step, centre[1] - shift]])
    method = cv2.INTER_LINEAR if step > 0.7 else cv2.INTER_CUBIC
    drawn = cv2.warpAffine(values, matrix, (side, side), flags=method | cv2.WARP_INVERSE_MAP)
    expected = np.clip(np.rint(128 + 127 * drawn), 1, 255)
    found = sample(values, centre, step, side, (128.0, 127.0))
    assert np.abs(found - expected).max() <= 1
    assert np.mean(found != expected) < 0.01


def test_a_convex_hull_in_pixels():
    off = []
    for seed in range(60):
        mask = (clouds((40, 44), seed, 4) > 0.05).astype(np.uint8) * 255
        outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        full = np.zeros_like(mask)
        cv2.fillConvexPoly(full, cv2.convexHull(np.concatenate(outlines)), 255)
        off.append(hull_size(mask) - cv2.countNonZero(full))
    assert np.abs(off).max() <= 5
    assert np.mean(np.array(off) == 0) > 0.8
    assert hull_size(np.zeros((5, 5), np.uint8)) == 0
