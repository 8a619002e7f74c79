from dataclasses import replace

import numpy as np
import pytest

from models.excess import excess, learn_excess
from models.shifts import Shifts


def donor(rng, cells=500, strange=0):
    found = rng.exponential(1.0, cells)
    found[:strange] = 5.0
    return found


def learned(donors=20, seed=0):
    rng = np.random.default_rng(seed)
    found = [donor(rng) for _ in range(donors)]
    return learn_excess(found, Shifts(), rng.normal(0, 1, donors)), rng


def test_more_rare_cells_or_a_larger_shift_is_more_unusual():
    usual, rng = learned()
    plain = donor(rng)
    assert excess(usual, donor(rng, strange=20), 0.0) > excess(usual, plain, 0.0) + 1
    assert excess(usual, plain, 8.0) > excess(usual, plain, 0.0) + 1


def test_ordinary_donors_are_spread_about_zero():
    usual, rng = learned(donors=40)
    found = [excess(usual, donor(rng), rng.normal()) for _ in range(200)]
    assert abs(np.median(found)) < 0.5
    assert 0.5 < np.std(found) < 1.5


def test_a_small_specimen_needs_a_larger_share():
    usual, _rng = learned()
    few, many = np.zeros(50), np.zeros(2000)
    few[:4], many[:160] = 5.0, 5.0
    assert excess(usual, few, 0.0) < excess(usual, many, 0.0)


def test_few_donors_are_trusted_less():
    usual, rng = learned()
    strange = donor(rng, strange=30)
    few, many = (excess(replace(usual, donors=n), strange, 0.0) for n in (5, 50))
    assert 0 < few < many - 0.5


@pytest.mark.parametrize("donors", [0, 1, 3])
def test_hardly_any_donors_still_see_what_is_obvious(donors):
    usual, rng = learned(donors)
    assert excess(usual, donor(rng), 0.0) < 2 < excess(usual, donor(rng, strange=100), 0.0)
    assert excess(usual, np.zeros(0), 0.0) == 0


def test_one_odd_donor_does_not_make_everything_usual():
    rng = np.random.default_rng(1)
    found = [donor(rng) for _ in range(20)]
    honest = learn_excess(found, Shifts(), np.zeros(20))
    spoilt = learn_excess([donor(rng, strange=150), *found[1:]], Shifts(), np.zeros(20))
    strange = donor(rng, strange=25)
    assert excess(spoilt, strange, 0.0) > 0.6 * excess(honest, strange, 0.0)
