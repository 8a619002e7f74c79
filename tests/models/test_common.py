import numpy as np
import pytest

from models.common import FEWEST, class_middles, common_look, freed

MIDDLE = np.array([[0.0, 0.0], [5.0, 0.0], [np.nan, np.nan]])


def test_strange_cells_do_not_move_what_is_common():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 300)
    cells = MIDDLE[labels] + rng.normal(0, 0.1, (300, 2)) + [0.5, -0.5]
    assert common_look(cells, labels, MIDDLE) == pytest.approx([0.5, -0.5], abs=0.03)
    cells[:30] += 50
    assert common_look(cells, labels, MIDDLE) == pytest.approx([0.5, -0.5], abs=0.03)
    assert np.median(freed(cells, labels, MIDDLE) - MIDDLE[labels], axis=0) == pytest.approx(0)


def test_too_few_cells_of_known_classes_say_nothing():
    labels = np.full(FEWEST - 1, 1)
    cells = np.ones((len(labels), 2))
    assert common_look(cells, labels, MIDDLE) is None
    assert freed(cells, labels, MIDDLE) is cells
    assert common_look(np.ones((90, 2)), np.full(90, 2), MIDDLE) is None


def test_classes_are_told_from_donors_of_other_compositions():
    rng = np.random.default_rng(1)
    specimens, labels = [], []
    # Donors rich in the second class have the larger look: medians of all cells would mix them.
    for share, look in ((0.2, -1.0), (0.5, 0.0), (0.8, 1.0)):
        mark = (rng.random(400) < share).astype(int)
        labels.append(mark)
        specimens.append(MIDDLE[mark] + rng.normal(0, 0.1, (400, 2)) + look)
    middle, free, every = class_middles(specimens, labels, 3)
    cells = np.concatenate(specimens)
    plain = [np.median(cells[every == k], axis=0) for k in range(2)]
    found, mixed_up = middle[1] - middle[0], plain[1] - plain[0]
    assert (np.abs(found - [5, 0]) < 0.8 * np.abs(mixed_up - [5, 0])).all()
    assert np.isnan(middle[2]).all()
    assert len(free) == len(every) == 1200
