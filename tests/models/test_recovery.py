import math

import numpy as np
import pytest

from models.recovery import concentration, fit_class_recovery, fit_recovery, total_concentration


def test_recovery_of_each_instrument_is_found():
    rng = np.random.default_rng(0)
    ratios = np.concatenate([rng.normal(-0.1, 0.05, 30), rng.normal(0.2, 0.05, 30)])
    names = ["a"] * 30 + ["b"] * 30
    fitted = fit_recovery(ratios, np.full(60, 500.0), names)
    assert fitted.log_total["a"][0] == pytest.approx(-0.1, abs=0.03)
    assert fitted.log_total["b"][0] == pytest.approx(0.2, abs=0.03)
    value, low, high = total_concentration(500, 1.0, 20.0, "a", fitted)
    assert value == pytest.approx(10000 * math.exp(0.1), rel=0.03)
    assert low < value < high


def test_one_specimen_hardly_moves_the_prior():
    fitted = fit_recovery(np.array([0.5]), np.array([400.0]), ["a"])
    assert 0.2 < fitted.log_total["a"][0] < 0.5


def test_an_absurd_ratio_is_no_recovery():
    fitted = fit_recovery(np.array([0.0, 0.0, 3.0]), np.full(3, 400.0), ["a"] * 3)
    assert fitted.specimens == 2


def test_an_unknown_instrument_widens():
    fitted = fit_recovery(np.zeros(20), np.full(20, 400.0), ["a"] * 20)
    near = total_concentration(400, 1, 20, "a", fitted)
    far = total_concentration(400, 1, 20, "z", fitted)
    assert far[2] - far[1] > 1.5 * (near[2] - near[1])


@pytest.mark.parametrize(("volume", "dilution"), [(None, 20.0), (1.0, None), (0.0, 20.0)])
def test_no_concentration_without_volume_and_dilution(volume, dilution):
    assert math.isnan(concentration(100, volume, dilution))


def test_recovery_by_class_is_found_with_its_uncertainty():
    rng = np.random.default_rng(1)
    truth = np.array([1.2, 0.9, 1.0])
    known = rng.dirichlet((5, 3, 2), 30)
    found = known * truth + rng.normal(0, 0.005, known.shape)
    fitted, sd = fit_class_recovery(found / found.sum(1, keepdims=True), known)
    assert fitted / fitted[2] == pytest.approx(truth, rel=0.08)
    few = fit_class_recovery(found[:2] / found[:2].sum(1, keepdims=True), known[:2])[1]
    assert (sd < few).all()
    assert (few <= 0.15).all()


def test_recovery_by_class_is_one_where_nothing_tells():
    fitted, sd = fit_class_recovery(np.zeros((0, 3)), np.zeros((0, 3)))
    assert fitted == pytest.approx(np.ones(3))
    assert sd == pytest.approx(np.full(3, 0.15))
