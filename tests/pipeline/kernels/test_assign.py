import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from pipeline.kernels.assign import assign, least_total


@pytest.mark.parametrize("seed", range(40))
def test_assigns_as_scipy_does_with_a_price_for_being_alone(seed):
    rng, gate = np.random.default_rng(seed), 25.0
    cost = rng.exponential(20, rng.integers(1, 14, 2))
    if seed % 2:
        cost[rng.random(cost.shape) < 0.6] = np.inf
    rows, columns = linear_sum_assignment(np.minimum(cost, gate))
    good = cost[rows, columns] < gate
    expected = np.full(len(cost), -1)
    expected[rows[good]] = columns[good]
    assert assign(cost, gate).tolist() == expected.tolist()


def test_least_total_of_a_full_table():
    cost = np.random.default_rng(0).normal(0, 1, (30, 45))
    rows, columns = linear_sum_assignment(cost)
    assert least_total(cost).tolist() == columns.tolist()
    assert rows.tolist() == list(range(30))


def test_nobody_and_nothing():
    assert assign(np.empty((0, 4)), 25.0).tolist() == []
    assert assign(np.empty((3, 0)), 25.0).tolist() == [-1, -1, -1]
