import numpy as np
import pytest
from scipy import odr, stats

from reports import agreement

# Peak flow of 17 people by two meters: Bland and Altman, Lancet 1986;327:307, table 1.
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def test_bland_altman_of_the_published_example():
    found = agreement.bland_altman(WRIGHT, MINI)
    assert found.bias.value == pytest.approx(-2.1, abs=0.05)
    assert found.sd == pytest.approx(38.8, abs=0.05)
    assert (found.bias.low, found.bias.high) == pytest.approx((-22.0, 17.8), abs=0.1)
    # The paper multiplies by 2; we by 1.96.
    assert found.lower.value == pytest.approx(-2.1 - 1.96 * 38.8, abs=0.2)
    # Its interval of the lower limit, -114.3 to -45.1, is 69.2 wide, by the rougher sqrt(3 s²/n).
    assert found.lower.high - found.lower.low == pytest.approx(69.2, rel=0.02)


def test_passing_bablok_is_theil_sen_where_no_slope_is_below_minus_one():
    random = np.random.default_rng(5)
    x = np.sort(random.uniform(1, 10, 30))
    y = 0.4 + 1.3 * x + random.normal(0, 0.02, 30)
    slope, intercept, low, high = stats.theilslopes(y, x, 0.95, method="joint")
    found = agreement.passing_bablok(y, x)
    assert found.slope.value == pytest.approx(slope)
    assert found.intercept.value == pytest.approx(intercept)
    assert (found.slope.low, found.slope.high) == pytest.approx((low, high), rel=2e-3)


def test_passing_bablok_does_not_care_which_method_is_called_the_reference():
    random = np.random.default_rng(6)
    truth = random.uniform(0, 10, 41)
    x, y = truth + random.normal(0, 2, 41), 2 * truth + random.normal(0, 4, 41)
    there, back = agreement.passing_bablok(y, x), agreement.passing_bablok(x, y)
    assert there.slope.value == pytest.approx(1 / back.slope.value, rel=0.01)
    assert there.slope.low == pytest.approx(1 / back.slope.high, rel=0.02)


def test_deming_with_equal_errors_is_orthogonal_regression():
    random = np.random.default_rng(8)
    truth = random.uniform(0, 10, 25)
    x, y = truth + random.normal(0, 1, 25), 1 + 0.8 * truth + random.normal(0, 1, 25)
    model = odr.ODR(odr.Data(x, y), odr.unilinear, beta0=[1, 0]).run()
    found = agreement.deming(y, x)
    assert (found.slope.value, found.intercept.value) == pytest.approx(model.beta, rel=1e-4)
    assert found.slope.low < 0.8 < found.slope.high


def test_deming_leaves_out_whole_donors():
    random = np.random.default_rng(9)
    truth = random.uniform(0, 10, 12)
    y, x = truth + random.normal(0, 1, 12), truth + random.normal(0, 1, 12)
    each = agreement.deming(np.tile(y, 2), np.tile(x, 2))
    donors = agreement.deming(np.tile(y, 2), np.tile(x, 2), donors=[*range(12)] * 2)
    # The same donor twice is no new donor: pairs left out singly look too certain.
    assert donors.slope.high - donors.slope.low > 1.3 * (each.slope.high - each.slope.low)


def test_concordance_by_hand():
    # means 2.5 and 3.5, variances 1.25 and 1.25, covariance 1.25: 2.5 / (2.5 + 1)
    found = agreement.concordance([1, 2, 3, 4], [2, 3, 4, 5])
    assert found.value == pytest.approx(2.5 / 3.5)
    assert found.low < found.value < found.high


def test_concordance_interval_holds_the_truth_about_as_often_as_it_says():
    random = np.random.default_rng(10)
    rho = 0.8 * 2 / (2 + 0.25)  # unit variances, correlation 0.8, shift 0.5
    inside = 0
    for _ in range(400):
        a = random.multivariate_normal([0, 0.5], [[1, 0.8], [0.8, 1]], 40)
        found = agreement.concordance(a[:, 0], a[:, 1])
        inside += found.low <= rho <= found.high
    assert 0.91 <= inside / 400 <= 0.98


def test_too_few_pairs_say_nothing():
    nan = float("nan")
    found = agreement.bland_altman([1, 2, nan], [1, 2, 3])
    assert found.n == 2
    assert np.isnan(found.bias.value)
    assert np.isnan(agreement.passing_bablok([1, 2], [1, 2]).slope.value)
    assert np.isnan(agreement.deming([1, nan, 2], [1, 2, 3]).slope.value)
    assert np.isnan(agreement.mean_absolute_error([], []))


def test_errors_leave_out_what_cannot_be_said():
    nan = float("nan")
    assert agreement.mean_absolute_error([1, 5, nan], [2, 2, 2]) == 2
    assert agreement.largest_error([1, 5, nan], [2, 2, 2]) == 3


def test_wilson_of_a_textbook_share():
    # Newcombe, Stat Med 1998;17:857: 15 of 148 gives 0.0624 to 0.1605.
    found = agreement.wilson(15, 148)
    assert (found.low, found.high) == pytest.approx((0.0624, 0.1605), abs=5e-5)
