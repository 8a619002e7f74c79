from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.background import Background
from pipeline.views import Shot, ViewFinder, draw, keep_best, mask_of, sharpness, true_mask
from tests.pipeline.drawing import detections


class Scored:
    def __init__(self, score, frame=0):
        self.score, self.frame = score, frame


def scene():
    contrast = np.zeros((81, 81), np.float32)
    mask = np.zeros((81, 81), np.uint8)
    rows, columns = np.indices(mask.shape)
    own = np.hypot(rows - 40, columns - 40) < 12
    mask[own] = 255
    contrast[own] = -0.5
    contrast[np.hypot(rows - 40, columns - 64) < 9] = -0.9  # a neighbour
    return contrast, mask


def picture(full_scale=1.0, window=64.0, side=48):
    contrast, mask = scene()
    return draw(contrast, mask, (40, 40), window_px=window, side=side, full_scale=full_scale)


def test_grey_values_are_contrast_and_neighbours_are_background():
    crop = picture()
    assert crop.shape == (48, 48)
    assert abs(int(crop[24, 24]) - round(128 - 127 * 0.5)) <= 1
    assert (crop[:, 40:] == 128).all()
    assert (crop[:5] == 128).all()


def test_full_scale_clips_instead_of_wrapping():
    assert picture(full_scale=0.25)[24, 24] == 1


@pytest.mark.parametrize("window", [48.0, 64.0, 96.0])
def test_the_window_sets_the_size_of_the_cell(window):
    shown = np.count_nonzero(picture(window=window) < 96)
    drawn = np.count_nonzero(scene()[1])
    assert shown == pytest.approx(drawn * (48 / window) ** 2, rel=0.08)


def test_best_views_first_and_no_more_than_asked_for():
    views = []
    for frame, score in enumerate([1.0, 3.0, 2.0, 0.5, 4.0]):
        keep_best(views, Scored(score, frame), 3)
    assert [view.score for view in views] == [4.0, 3.0, 2.0]


def test_blur_lowers_sharpness_and_gain_does_not_change_it():
    import cv2

    image = np.random.default_rng(0).integers(0, 120, (40, 40)).astype(np.uint8)
    assert sharpness(cv2.GaussianBlur(image, (0, 0), 2)) < 0.5 * sharpness(image)
    assert sharpness(image * 2) == pytest.approx(sharpness(image))


@pytest.mark.parametrize("blur", [0.6, 1.5])
def test_the_true_mask_ends_at_the_middle_of_the_edge_whatever_the_nucleus(blur):
    import cv2

    from tests.pipeline.drawing import disc

    contrast = -0.15 * disc((81, 81), 40, 40, 40) - 0.6 * disc((81, 81), 44, 40, 18)
    contrast = cv2.GaussianBlur(contrast.astype(np.float32), (0, 0), blur)
    found = (contrast < -0.02).astype(np.uint8) * 255
    area = np.pi * 20**2
    assert np.count_nonzero(found) > 1.05 * area
    assert np.count_nonzero(true_mask(contrast, found, 2.0)) == pytest.approx(area, rel=0.05)


def test_a_sliver_whose_cell_lies_far_outside_is_drawn_from_what_is_seen():
    found = detections(0, [(-60.0, 30.0)])
    found.box[0] = (0, 10, 3, 40)
    found.contours[0] = np.array([[[0, 10]], [[2, 30]], [[0, 49]]], np.int32)
    frame = np.full((80, 120), 200, np.uint8)
    frame[10:50, :3] = 100
    ground = Background(np.full(frame.shape, 200, np.float32))
    shot = Shot(0, frame, found, ground, np.zeros(1), np.ones(1))
    optics = SimpleNamespace(level=200.0)
    view = ViewFinder(optics, frame.shape).cut_out(shot, 0)
    assert view.contrast.min() == pytest.approx(-0.5)
    centre = (view.x - view.left, view.y - view.top)
    crop = draw(view.contrast, mask_of(view, 1), centre, window_px=50, side=48, full_scale=1.0)
    assert crop.shape == (48, 48)
