import numpy as np
import pytest

from pipeline.best import BestViews
from pipeline.kernels.edge import true_mask
from pipeline.kernels.keep import COLUMNS, FRAME, LEFT, ROWS, TOP, X
from pipeline.kernels.portrait import Paper, draw, portray
from pipeline.kernels.sharp import sharpness_of
from pipeline.outlines import Outlines
from pipeline.views import Shot
from tests.pipeline.drawing import detections


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
    return draw(contrast, mask, (40.0, 40.0), window, side, full_scale)


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


def shot(index, scores, value=0):
    found = detections(index, [(20.0 + 30 * place, 30.0) for place in range(len(scores))])
    found.scores, found.focus = np.array(scores, float), np.ones(len(scores))
    pixels = np.full((60, 90), value, np.uint8)
    ground = np.full(pixels.shape, 200, np.float32)
    return Shot(pixels, ground, found)


def gallery(number, longest=60):
    return BestViews(number, longest, level=200.0, shrink=1)


def kept(best, row):
    return best.views(np.array([row])).facts[:, FRAME].tolist()


def test_best_views_first_and_no_more_than_asked_for():
    best = gallery(3)
    for frame, score in enumerate([1.0, 3.0, 2.0, 0.5, 4.0]):
        best.take(shot(frame, [score, -score]), np.array([0, 5]))
    assert kept(best, 0) == [4, 1, 2]
    assert kept(best, 5) == [3, 0, 2]
    best.forget(np.array([0]))
    best.take(shot(9, [1.5]), np.array([0]))
    assert kept(best, 0) == [9]


def test_a_view_that_is_hardly_better_replaces_none():
    best = gallery(1)
    for frame, score in enumerate([1.0, 1.04, 1.06]):
        best.take(shot(frame, [score]), np.array([0]))
    assert kept(best, 0) == [2]
    best.take(shot(3, [1.1]), np.array([0]))
    assert kept(best, 0) == [2]


def test_what_was_seen_stays_as_it_was_in_its_own_frame_however_many_rows_come():
    best = gallery(2)
    for frame, score in enumerate([3.0, 5.0, 1.0, 1.0, 4.0]):
        best.take(shot(frame, [0.0, score], value=100 + frame), np.array([1, 2]))
    best.take(shot(7, [1.0]), np.array([90]))
    found = best.views(np.array([2, 90]))
    assert found.counts.tolist() == [2, 1]
    assert found.facts[:, FRAME].tolist() == [1, 4, 7]
    assert found.facts[:, X].tolist() == [50.0, 50.0, 20.0]
    area = int(found.facts[0, ROWS] * found.facts[0, COLUMNS])
    assert np.allclose(found.contrast[:area], (101 - 200) / 200)
    assert np.allclose(found.contrast[area : 2 * area], (104 - 200) / 200)


def test_what_is_not_asked_for_is_not_kept():
    best = gallery(2)
    best.take(shot(0, [1.0, 2.0]), np.array([-1, 3]))
    assert best.views(np.array([0, 1, 2, 3])).counts.tolist() == [0, 0, 0, 1]


def test_of_what_is_larger_than_any_cell_the_middle_is_kept():
    one = shot(0, [1.0])
    one.found.box[0] = (0, 0, 90, 60)
    best = gallery(1, longest=40)
    best.take(one, np.array([0]))
    facts = best.views(np.array([0])).facts[0]
    assert (facts[COLUMNS], facts[ROWS]) == (40, 40)
    assert facts[LEFT] + 20 == pytest.approx(45, abs=1)
    assert facts[TOP] + 20 == pytest.approx(30, abs=1)


def sharpness(pixels):
    height, width = pixels.shape
    return float(sharpness_of(pixels, np.array([[0, 0, width, height]]))[0])


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


PAPER = Paper(window=50.0, side=48, full_scale=1.0, pixel_um=0.4, edge=2.0)


def portrait(one, index, views=1):
    best = gallery(views)
    best.take(one, np.where(np.arange(len(one.found)) == index, 0, -1))
    pictures, features = portray(best.views(np.array([0])), views, PAPER)
    return pictures[0], features[0]


def test_a_sliver_whose_cell_lies_far_outside_is_drawn_from_what_is_seen():
    one = shot(0, [0.0], value=200)
    one.found.x[0] = -60.0
    one.found.box[0] = (0, 10, 3, 40)
    one.found.outlines = Outlines.of([np.array([[0, 10], [2, 30], [0, 49]], np.int32)])
    one.pixels[10:50, :3] = 100
    assert portrait(one, 0)[0].shape == (1, 48, 48)
    one.found.x[0] = 1.0
    assert portrait(one, 0)[0].min() == 128 - 64


def test_a_cell_is_measured_on_its_best_view_which_stands_for_those_it_lacks():
    import cv2

    one = shot(0, [0.0, 0.0], value=200)
    mask = np.zeros((60, 90), np.uint8)
    cv2.circle(mask, (50, 30), 9, 255, -1)
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    one.found.outlines = Outlines.of([np.zeros((1, 2), np.int32), outlines[0]])
    one.found.box[1] = cv2.boundingRect(outlines[0])
    noise = np.random.default_rng(0).integers(80, 140, mask.shape).astype(np.uint8)
    one.pixels = np.where(mask > 0, noise, one.pixels)
    pictures, features = portrait(one, 1, views=3)
    assert pictures[0].min() < 100
    assert (pictures == pictures[0]).all()
    assert features[0] == pytest.approx(0.16 * np.count_nonzero(mask), rel=0.02)


def test_cells_drawn_together_are_drawn_as_each_alone():
    one = shot(0, [1.0, 1.0], value=200)
    one.pixels[20:41, 10:31], one.pixels[22:39, 42:59] = 120, 90
    best = gallery(2)
    best.take(one, np.array([4, 1]))
    together, _ = portray(best.views(np.array([1, 4])), 2, PAPER)
    assert np.array_equal(together[1], portrait(one, 0, views=2)[0])
    assert np.array_equal(together[0], portrait(one, 1, views=2)[0])
