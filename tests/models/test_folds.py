import numpy as np

from models.folds import split_donors


def test_unusual_donors_are_spread_over_the_folds():
    rng = np.random.default_rng(0)
    shares = {f"D{i}": rng.dirichlet((60, 30, 10)) for i in range(16)}
    shares |= {f"A{i}": np.array([0.1, 0.1, 0.8]) for i in range(4)}
    folds = split_donors(shares, 4, seed=1)
    assert sorted(folds[f"A{i}"] for i in range(4)) == [0, 1, 2, 3]
    assert np.bincount(list(folds.values())).tolist() == [5, 5, 5, 5]


def test_no_more_folds_than_donors():
    assert set(split_donors({"a": np.ones(2), "b": np.ones(2)}, 4, 1).values()) == {0, 1}
    assert split_donors({}, 4, 1) == {}
