import numpy as np
import pytest

from models.intervals import (
    fit_errors,
    member_spread,
    product_interval,
    share_interval,
)

SHARES = np.array([0.6, 0.3, 0.08, 0.02])
SWAYS = 0.06 * SHARES * (1 - SHARES)


def simulate(donors, rng, cells=500, between=1.5, sways=SWAYS):
    """Shares found and known, the analyser's noise, cells, and how far shares can be swayed."""
    seen = np.clip(SHARES + between * sways * rng.normal(0, 1, (donors, 4)), 1e-4, 1)
    found = np.array([rng.multinomial(cells, s / s.sum()) for s in seen]) / cells
    sd = np.tile(0.05 * SHARES, (donors, 1))
    known = np.clip(SHARES + rng.normal(0, 1, (donors, 4)) * sd, 0, 1)
    return found, known, sd, np.full(donors, float(cells)), np.tile(sways, (donors, 1))


@pytest.mark.parametrize("donors", [10, 24])
@pytest.mark.parametrize("between", [0.8, 1.5, 5.0])
def test_intervals_cover_the_blood_of_new_donors(donors, between):
    rng = np.random.default_rng(3)
    hits, widths = [], []
    for _ in range(60):
        errors = fit_errors(*simulate(donors, rng, between=between))
        for share in simulate(5, rng, between=between)[0]:
            low, high, _ = share_interval(share, 500, errors, SWAYS, np.zeros(4))
            hits.append((low <= SHARES) & (high >= SHARES))
            widths.append(high - low)
    coverage = np.mean(hits, axis=0)
    assert (coverage > 0.91).all()
    assert coverage.mean() < 0.985
    assert np.mean(widths, axis=0)[3] < 0.05


def test_conformal_needs_nineteen_donors():
    rng = np.random.default_rng(4)
    assert not fit_errors(*simulate(18, rng)).conformal
    assert fit_errors(*simulate(19, rng)).conformal


def test_nothing_held_out_gives_wide_intervals():
    none = np.zeros((0, 4))
    errors = fit_errors(none, none, none, np.zeros(0), none)
    low, high, _ = share_interval(SHARES, 1e6, errors, SWAYS, np.zeros(4))
    assert high[0] - low[0] > 0.3


def test_a_class_that_was_not_seen_may_be_there():
    errors = fit_errors(*simulate(24, np.random.default_rng(5)))
    nothing = np.zeros(4)
    low, high, _ = share_interval(np.array([1.0, 0, 0, 0]), 100, errors, nothing, nothing)
    assert (low[1:] == 0).all()
    assert (high[1:] >= 0.03).all()


def test_disagreeing_members_widen():
    errors = fit_errors(*simulate(24, np.random.default_rng(6)))
    shares = np.array([[0.5, 0.5], [0.9, 0.1]])
    narrow = share_interval(SHARES, 500, errors, SWAYS, np.zeros(4))
    wide = share_interval(SHARES, 500, errors, SWAYS, np.full(4, member_spread(shares)[0]))
    assert (wide[1] - wide[0] > narrow[1] - narrow[0]).all()


def test_concentration_limits_hold_both_errors():
    low, high = product_interval(
        np.array([0.5]), (np.array([0.4]), np.array([0.6])), 1000.0, (900.0, 1100.0)
    )
    assert low[0] == pytest.approx(500 - np.hypot(100, 50))
    assert high[0] == pytest.approx(500 + np.hypot(100, 50))


def test_a_class_hard_to_tell_does_not_widen_the_others():
    rng = np.random.default_rng(7)
    found, known, sd, cells, sways = simulate(24, rng, between=0.5)
    plain = fit_errors(found, known, sd, cells, sways).between
    harder = found.copy()
    harder[:, 3] = np.clip(found[:, 3] + rng.normal(0, 0.03, 24), 0, 1)
    now = fit_errors(harder, known, sd, cells, sways).between
    assert now[3] > 3 * plain[3]
    assert now[0] < 2 * plain[0]


def test_specimens_with_more_doubtful_cells_get_wider_intervals():
    errors = fit_errors(*simulate(24, np.random.default_rng(8)))
    plain = share_interval(SHARES, 5000, errors, SWAYS, np.zeros(4))
    doubtful = share_interval(SHARES, 5000, errors, 4 * SWAYS, np.zeros(4))
    assert (doubtful[2] > 2.5 * plain[2]).all()
    assert (doubtful[1] - doubtful[0] > 2 * (plain[1] - plain[0]))[0]


def test_what_no_cell_leaves_in_doubt_is_known_up_to_sampling():
    errors = fit_errors(*simulate(24, np.random.default_rng(9), between=5.0))
    _low, _high, sd = share_interval(SHARES, 500, errors, np.zeros(4), np.zeros(4))
    np.testing.assert_allclose(sd, np.sqrt(SHARES * (1 - SHARES) / 500))


def test_an_analyser_better_than_it_says_does_not_narrow():
    known = np.tile(SHARES, (40, 1))
    sways = np.tile(SWAYS, (40, 1))
    errors = fit_errors(known, known, 0.1 * known, np.full(40, 5000.0), sways)
    assert errors.conformal
    assert errors.factor >= 1.95


def test_classes_that_the_analyser_does_not_tell_are_left_aside():
    found, known, sd, cells, sways = simulate(24, np.random.default_rng(10), between=4.0)
    known[:, 2:] = sd[:, 2:] = np.nan
    errors = fit_errors(found, known, sd, cells, sways)
    assert np.isfinite(errors.between).all()
    # What the told ones show is believed of the others.
    assert errors.between[2] > 1.5
