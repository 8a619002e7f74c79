from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("cv2")
from benchmarks import compose as making
from benchmarks.compose import CLASSES, Crops, Parting, Regime, compose

COUNTS = np.array([[4000.0, 2000.0, 500.0, 150.0, 50.0]])
FOLDS = {f"M{i:03}": i % 3 for i in range(6)}
PARTING = Parting(FOLDS, 3)


class Numbered(Crops):
    """Crops whose single grey value is their number."""

    def __init__(self):
        numbers = np.arange(500, dtype=np.float32).reshape(5, 2, 50)
        self.pools = {
            (name, pool): [np.full((making.CANVAS, making.CANVAS), n) for n in numbers[k, p]]
            for k, name in enumerate(CLASSES)
            for p, pool in enumerate(("training", "test"))
        }


@pytest.fixture
def shown(monkeypatch):
    """Specimens show the numbers of their pictures, dirt shows −1."""
    monkeypatch.setattr(making, "_debris", lambda rng: np.full((making.CANVAS,) * 2, -1.0))
    monkeypatch.setattr(making, "_render", lambda pictures, *_: pictures[:, None, :1, :1])


def study(parting=None):
    regime = replace(Regime(), mixed=6, purified_per_class=1, unknown=6, cells=400)
    return compose(Numbered(), COUNTS, regime, 1, parting=parting)


def pictures(bags):
    return {int(n) for bag in bags for n in np.unique(bag.crops)} - {-1}


def test_each_fold_shows_pictures_that_no_other_specimen_does(shown):
    bags = study(PARTING).training
    groups = [[b for b in bags if FOLDS.get(b.specimen_id, 3) == group] for group in range(4)]
    seen = [pictures(group) for group in groups]
    assert all(len(one) > 20 for one in seen)
    assert not any(seen[i] & seen[j] for i in range(4) for j in range(i))


def test_without_folds_specimens_share_pictures(shown):
    bags = [bag for bag in study().training if bag.known.role == "mixed"]
    assert pictures(bags[:3]) & pictures(bags[3:])


def test_specimens_to_come_are_in_groups_too_with_as_many_pictures(shown):
    bags = study(PARTING).unknown
    seen = [pictures([bag]) for bag in bags]
    apart = [not one & other for i, one in enumerate(seen) for other in seen[:i]]
    assert any(apart)
    assert not all(apart)
    assert max(map(len, seen)) <= len(CLASSES) * 25


def test_what_is_known_and_true_does_not_depend_on_who_shows_which_picture(shown):
    one, other = study(), study(PARTING)
    assert [bag.known for bag in one.training] == [bag.known for bag in other.training]
    for name, labels in one.truth.items():
        assert np.array_equal(labels, other.truth[name])
