import itertools

import cv2
import numpy as np
import pytest

from pipeline.kernels.cut import cut_apart, may_be_several
from pipeline.kernels.outlines import measure_outlines


def outline(*discs):
    mask = np.zeros((120, 160), np.uint8)
    for x, y, diameter in discs:
        cv2.circle(mask, (x, y), diameter // 2, 255, -1)
    found, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    assert len(found) == 1
    return found[0].reshape(-1, 2)


def split(contour, smallest=16.0):
    row = measure_outlines(contour, np.array([0, len(contour)]))[0]
    if may_be_several(row, smallest):
        points, starts = cut_apart(contour, row, smallest)
        if len(starts) > 1:
            return [points[one:two] for one, two in itertools.pairwise(starts)]
    return [contour]


@pytest.mark.parametrize(
    "discs",
    [
        [(40, 60, 30), (69, 60, 30)],
        [(40, 60, 30), (64, 60, 30)],  # overlapping by a fifth
        [(40, 60, 40), (69, 60, 20)],
        [(40, 40, 26), (64, 40, 26), (88, 40, 26)],
        [(40, 40, 26), (63, 46, 26), (80, 62, 26), (60, 70, 26)],
    ],
)
def test_touching_discs_come_apart_at_their_centres(discs):
    pieces = split(outline(*discs))
    assert len(pieces) == len(discs)
    for x, y, diameter in discs:
        near = min(np.hypot(*(piece.mean(axis=0) - (x, y))) for piece in pieces)
        assert near < 0.25 * diameter


def test_a_single_cell_stays_whole():
    mask = np.zeros((100, 100), np.uint8)
    cv2.ellipse(mask, (50, 50), (30, 18), 30, 0, 360, 255, -1)
    found, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    assert len(split(found[0].reshape(-1, 2))) == 1


def test_lobes_too_small_for_a_cell_stay_together():
    assert len(split(outline((40, 60, 14), (52, 60, 14)), smallest=20.0)) == 1
