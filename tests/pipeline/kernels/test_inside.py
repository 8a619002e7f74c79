import cv2
import numpy as np
import pytest

from pipeline.kernels.inside import grain_inside, moments_inside, rim_contrast, within_edge


@pytest.fixture
def cell():
    rng = np.random.default_rng(0)
    mask = np.zeros((40, 50), np.uint8)
    cv2.ellipse(mask, (24, 20), (15, 9), 30, 0, 360, 255, -1)
    return rng.normal(-0.4, 0.1, mask.shape).astype(np.float32), mask


def test_moments_are_those_of_the_pixels_inside(cell):
    contrast, mask = cell
    rows, columns = np.nonzero(mask)
    values = contrast[rows, columns]
    expected = (
        len(rows), values.mean(), values.std(), columns.var(), rows.var(),
        np.mean((columns - columns.mean()) * (rows - rows.mean())),
    )  # fmt: skip
    assert moments_inside(contrast, mask) == pytest.approx(expected, rel=1e-5)


def test_nothing_inside_says_nothing(cell):
    area, *others = moments_inside(cell[0], np.zeros_like(cell[1]))
    assert area == 0
    assert np.isnan(others).all()


def test_grain_is_what_the_local_mean_leaves(cell):
    contrast, mask = cell
    total, share = np.full_like(contrast, 0.3), np.full_like(contrast, 0.5)
    total[:, 25:] = 0.1
    mean = (total / share)[mask > 0]
    expected = ((contrast[mask > 0] - mean).std(), mean.std())
    assert grain_inside(contrast, total, share, mask) == pytest.approx(expected, rel=1e-4)


def test_the_rim_is_the_median_of_a_band_and_unknown_where_there_is_none(cell):
    size, depth = np.abs(cell[0]), cv2.distanceTransform(cell[1], cv2.DIST_L2, 3)
    band = np.sort(size[(depth > 2) & (depth <= 5)])
    assert rim_contrast(size, depth, 2.0) == band[len(band) // 2]
    assert np.isnan(rim_contrast(size, depth, 50.0))


def test_a_cell_ends_at_half_but_keeps_its_core(cell):
    depth = cv2.distanceTransform(cell[1], cv2.DIST_L2, 3)
    smooth = np.where(np.arange(50) < 24, 1.0, 0.1).astype(np.float32)[None, :].repeat(40, 0)
    found = within_edge(smooth, depth, 0.5, 4.0) > 0
    assert np.array_equal(found, (depth > 4) | ((depth > 0) & (smooth > 0.5)))
