import numpy as np
import pytest

from cellcensus.study import Polarity
from pipeline.background import temporal_background
from pipeline.kernels.border import complete_discs
from pipeline.optics import estimate_optics
from pipeline.segment import Segmenter
from tests.pipeline.drawing import draw

SHAPE = (120, 160)


def segmenter(frames, *, diameters=(10.0, 60.0), polarity=None):
    background = temporal_background(frames)
    optics = estimate_optics(
        frames,
        [background] * len(frames),
        diameter_px=diameters,
        polarity=polarity,
        noise_factor=4.5,
    )
    return Segmenter(background, optics, frames[0].dtype)


def film(cells, **how):
    """Empty frames for the background, and one with cells at its end."""
    return [draw(SHAPE, [], seed=seed, **how) for seed in range(9)] + [
        draw(SHAPE, cells, seed=99, **how)
    ]


@pytest.mark.parametrize(
    ("how", "polarity"),
    [
        ({}, Polarity.DARK),
        ({"depth": -60.0}, Polarity.BRIGHT),
        ({"level": 12.0, "depth": -90.0}, Polarity.BRIGHT),
        ({"level": 30000.0, "depth": 4000.0, "noise": 120.0, "dtype": np.uint16}, Polarity.DARK),
        ({"depth": 12.0}, Polarity.DARK),
    ],
)
def test_finds_cells_of_any_polarity_depth_and_bit_depth(how, polarity):
    cells = [(30, 40, 20), (80, 60, 14), (130, 90, 30)]
    frames = film(cells, **how)
    one = segmenter(frames)
    found = one.detect(frames[-1], 7)
    assert one.optics.polarity is polarity
    order = np.argsort(found.x)
    assert found.x[order] == pytest.approx([30, 80, 130], abs=0.5)
    assert found.y[order] == pytest.approx([40, 60, 90], abs=0.5)
    # The outline lies on the foot of the edge, up to a pixel outside its middle.
    radius = np.sqrt(found.area[order] / np.pi)
    assert radius - [10, 7, 15] == pytest.approx(0.6, abs=0.9)


def test_shrinking_keeps_positions_and_areas_in_pixels_of_the_frame():
    cells = [(50.0, 60.0, 40), (110.0, 70.0, 50)]
    frames = film(cells)
    found = segmenter(frames, diameters=(30.0, 90.0)).detect(frames[-1], 0)
    assert np.sort(found.x) == pytest.approx([50, 110], abs=0.7)
    radius = np.sort(np.sqrt(found.area / np.pi))
    assert radius - [20, 25] == pytest.approx(1.4, abs=1.4)


def test_what_is_smaller_than_a_cell_is_left_out_however_soft():
    import cv2

    frames = film([(40, 60, 20), (100, 60, 7)])
    soft = [cv2.GaussianBlur(frame, (0, 0), 2.5) for frame in frames]
    found = segmenter(soft).detect(soft[-1], 0)
    assert found.x == pytest.approx([40], abs=1)


def test_nothing_is_found_in_noise():
    frames = film([], noise=6.0)
    assert len(segmenter(frames).detect(frames[-1], 0)) == 0


@pytest.mark.parametrize(("centre", "diameter"), [(3.0, 24.0), (-4.0, 24.0), (9.0, 24.0)])
def test_a_disc_cut_by_the_border_is_completed(centre, diameter):
    frames = film([(centre, 60, diameter)])
    found = segmenter(frames).detect(frames[-1], 0)
    assert found.cut.all()
    assert found.x[0] == pytest.approx(centre, abs=1.6)


def test_completion_leaves_whole_cells_alone():
    table = np.array([[50.0, 50.0, 300.0, 1.0, 40.0, 40.0, 20.0, 20.0]])
    before = table.copy()
    assert not complete_discs(table, 100, 100).any()
    assert np.array_equal(table, before)


def test_a_bubble_is_no_cell_and_is_told_of():
    frames = film([(40, 40, 20), (110, 70, 62)])
    found = segmenter(frames, diameters=(10.0, 30.0)).detect(frames[-1], 0)
    assert len(found) == 1
    assert found.oversized == 1
