import numpy as np
import pytest

from models.rarity import LEVELS, learn_rarity


def test_surprise_is_the_logarithm_of_how_few_are_as_high():
    values = np.random.default_rng(0).exponential(size=20_000)
    rarity = learn_rarity(values, np.zeros(20_000, int), 1)
    at = np.quantile(values, [0.5, 0.9, 0.99])
    assert rarity.surprise(at, np.zeros(3, int)) == pytest.approx(
        -np.log([0.5, 0.1, 0.01]), abs=0.05
    )


def test_a_class_is_judged_by_its_own_cells_once_it_has_enough():
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(0, 1, 4000), rng.normal(5, 1, 4000)])
    labels = np.repeat([0, 1], 4000)
    rarity = learn_rarity(values, labels, 3)
    same = np.array([5.0, 5.0, 5.0])
    first, second, never_seen = rarity.surprise(same, np.array([0, 1, 2]))
    assert first > 6 > 1.5 > second
    # A class without cells is judged by all of them.
    assert second < never_seen < first


def test_surprise_is_bounded_and_nothing_learned_says_nothing():
    rarity = learn_rarity(np.arange(100.0), np.zeros(100, int), 1)
    assert np.isfinite(rarity.surprise(np.array([1e9]), np.zeros(1, int))).all()
    nothing = learn_rarity(np.zeros(0), np.zeros(0, int), 2)
    assert nothing.quantiles.shape == (2, len(LEVELS))
    assert (nothing.surprise(np.array([3.0, -1.0]), np.array([0, 1])) == 0).all()
    certain = learn_rarity(np.zeros(50), np.zeros(50, int), 1)
    assert (certain.surprise(np.zeros(4), np.zeros(4, int)) == 0).all()
