"""How views are scored, and which are kept."""

import numpy as np
import pytest

from pipeline.kernels.score import score_views, usual_focus
from pipeline.kernels.sharp import sharpness_of

NO, YES = np.array([False]), np.array([True])


def score(box, place, *, cut=NO, touching=NO):
    """Of one thing in a frame of noise, and its score without focus."""
    frame = np.random.default_rng(0).integers(0, 200, (60, 90)).astype(np.uint8)
    box = np.array(box, np.int64).reshape(-1, 4)
    place = tuple(np.array(values, float) for values in place)
    scores, focus = score_views(frame, box, place, cut, touching)
    assert np.array_equal(focus, sharpness_of(frame, box))
    return scores - 0.5 * np.log(focus)


AREA = np.pi * 10**2  # of a disc of radius 10


def test_a_whole_cell_by_itself_has_four_and_one_for_its_distance_from_none():
    assert score((30, 20, 20, 20), ([40], [30], [AREA]))[0] == pytest.approx(5)


def test_a_piece_of_a_blob_has_less():
    found = score((30, 20, 20, 20), ([40], [30], [AREA]), touching=YES)
    assert found[0] == pytest.approx(5 - 1.5)


@pytest.mark.parametrize(("x", "shown"), [(5.0, 1.5), (10.0, 3.0), (20.0, 3.0), (-1.0, -9.0)])
def test_what_the_border_cuts_by_how_deep_its_centre_lies(x, shown):
    found = score((0, 20, 15, 20), ([x], [30], [AREA]), cut=YES)
    assert found[0] == pytest.approx(shown + 1)


@pytest.mark.parametrize(("away", "more"), [(40, 1.0), (25, 0.5), (15, 0.0)])
def test_neighbours_nearer_than_a_radius_count(away, more):
    no = np.zeros(2, bool)
    place = ([20, 20 + away], [30, 30], [AREA, AREA])
    found = score([(10, 20, 20, 20), (10 + away, 20, 20, 20)], place, cut=no, touching=no)
    assert found == pytest.approx([4 + more] * 2)


def test_half_a_point_for_each_factor_e_of_focus():
    rng, scores = np.random.default_rng(1), []
    sharp = rng.integers(0, 200, (60, 90)).astype(np.float64)
    for share in (1.0, 0.3):
        # Neighbours alike: less of the Laplacian for the same deviation.
        frame = (share * sharp + (1 - share) * np.repeat(sharp[:, ::9], 9, 1)).astype(np.uint16)
        box = np.array([[30, 20, 20, 20]])
        place = (np.array([40.0]), np.array([30.0]), np.array([AREA]))
        scores.append(score_views(frame, box, place, NO, NO))
    (one, first), (two, second) = scores
    assert first[0] > 1.2 * second[0]
    assert one[0] - two[0] == pytest.approx(0.5 * np.log(first[0] / second[0]))


@pytest.mark.parametrize("number", [0, 1, 4, 7])
def test_the_usual_focus_is_the_median_of_what_is_whole_and_single(number):
    rng = np.random.default_rng(number)
    focus = rng.random(number + 2)
    cut, touching = np.zeros((2, number + 2), bool)
    cut[0] = touching[-1] = True
    found = usual_focus(focus, cut, touching)
    assert found[1] == number
    expected = np.median(focus[1:-1]) if number else np.nan
    assert found[0] == pytest.approx(expected, nan_ok=True)
