from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.classified import Classified
from flows.recounted import recounted

CLASSES = ("round", "lobed", "grainy")
NAMES = (*CLASSES, "unclassified", "artefact")
CALLED = np.array([0] * 12 + [1] * 9 + [2] * 4 + [-1] * 3 + [-2] * 2, np.int8)
CELLS = Classified(CLASSES, np.arange(100, 130), CALLED, np.linspace(0.4, 0.99, 30))


def prediction():
    rows = [
        SimpleNamespace(
            cell_class=name,
            count=int((place == CALLED).sum()),
            fraction=share,
            fraction_low=share - 0.05,
            fraction_high=share + 0.05,
            per_ul=None,
            per_ul_low=None,
            per_ul_high=None,
        )
        for place, (name, share) in enumerate(zip(CLASSES, (0.5, 0.1 + 0.2, 0.2), strict=True))
    ]
    total = dict.fromkeys(("total_per_ul", "total_per_ul_low", "total_per_ul_high"))
    return SimpleNamespace(rows=rows, cells=28, **total)


def values(found):
    return [
        (r.cell_class, r.count, r.fraction, r.fraction_low, r.fraction_high) for r in found.rows
    ]


def moves():
    cell = st.integers(100, 129)
    return st.dictionaries(cell, st.sampled_from(NAMES), max_size=25)


def test_without_corrections_it_is_the_prediction_bit_for_bit():
    row, found = prediction(), recounted(prediction(), CELLS, {})
    assert values(found) == values(row)
    assert (found.cells, found.unclassified, found.artefacts, found.moved) == (28, 3, 2, 0)
    assert np.array_equal(found.classified.cell_class, CALLED)


@settings(deadline=None)
@given(moves(), moves())
def test_undoing_everything_restores_the_prediction_bit_for_bit(first, second):
    there = {**first, **second}
    back = {cell: CELLS.name(cell - 100) for cell in there}
    assert values(recounted(prediction(), CELLS, {**there, **back})) == values(prediction())


@settings(deadline=None)
@given(moves(), st.randoms(use_true_random=False))
def test_the_order_of_corrections_does_not_matter(moved, chance):
    other = list(moved.items())
    chance.shuffle(other)
    found = recounted(prediction(), CELLS, moved)
    assert values(recounted(prediction(), CELLS, dict(other))) == values(found)
    shares = [row.fraction for row in found.rows]
    if None not in shares:
        assert sum(shares) == pytest.approx(1)
        assert min(shares) >= 0


def test_a_corrected_cell_stands_in_its_class_without_a_probability():
    found = recounted(prediction(), CELLS, {100: "lobed", 101: "round", 999: "lobed"})
    assert found.moved == 1
    assert [row.count for row in found.rows] == [11, 10, 4]
    assert found.classified.name(0) == "lobed"
    assert np.isnan(found.classified.probability[0])
    assert found.classified.probability[1] == CELLS.probability[1]


def test_concentrations_that_cannot_be_said_stay_so():
    found = recounted(prediction(), CELLS, {100: "artefact"})
    assert found.total_per_ul is None
    assert found.rows[0].per_ul is None
    assert found.cells == 27


def test_a_class_that_the_stored_rows_lack_is_unclassified():
    row = prediction()
    row.rows = row.rows[:2]
    found = recounted(row, CELLS, {})
    assert [found.classified.name(i) for i in (20, 21, 24, 25)] == ["lobed", *["unclassified"] * 3]
