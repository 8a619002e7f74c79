import numpy as np
import pytest

from models.intervals import (
    fit_errors,
    member_spread,
    product_interval,
    share_interval,
    transform,
)

SHARES = np.array([0.6, 0.3, 0.08, 0.02])


def simulate(donors, rng, cells=500, between=0.03):
    phi = transform(SHARES) + rng.normal(0, between, (donors, 4))
    seen = np.sin(np.clip(phi, 0.001, 1.56)) ** 2
    counts = np.array([rng.multinomial(cells, s / s.sum()) for s in seen]) / cells
    sd = np.tile(0.05 * SHARES, (donors, 1))
    known = np.clip(SHARES + rng.normal(0, 1, (donors, 4)) * sd, 0, 1)
    return counts, known, sd, np.full(donors, float(cells))


@pytest.mark.parametrize("donors", [10, 24])
def test_intervals_cover_the_blood_of_new_donors(donors):
    rng = np.random.default_rng(3)
    hits, widths = [], []
    for _ in range(60):
        found, known, sd, cells = simulate(donors, rng)
        errors = fit_errors(found, known, sd, cells, 4)
        new = simulate(5, rng)[0]
        for share in new:
            low, high, _ = share_interval(share, 500, errors, np.zeros(4))
            hits.append((low <= SHARES) & (high >= SHARES))
            widths.append(high - low)
    coverage = np.mean(hits, axis=0)
    assert (coverage > 0.91).all()
    assert coverage.mean() < 0.985
    assert np.mean(widths, axis=0)[3] < 0.08


def test_conformal_needs_nineteen_donors():
    rng = np.random.default_rng(4)
    assert not fit_errors(*simulate(18, rng), 4).conformal
    assert fit_errors(*simulate(19, rng), 4).conformal


def test_nothing_held_out_gives_wide_intervals():
    none = np.zeros((0, 4))
    errors = fit_errors(none, none, none, np.zeros(0), 4)
    low, high, _ = share_interval(SHARES, 1e6, errors, np.zeros(4))
    assert high[0] - low[0] > 0.3


def test_a_class_that_was_not_seen_may_be_there():
    errors = fit_errors(*simulate(24, np.random.default_rng(5)), 4)
    low, high, _ = share_interval(np.array([1.0, 0, 0, 0]), 100, errors, np.zeros(4))
    assert (low[1:] == 0).all()
    assert (high[1:] >= 0.03).all()


def test_disagreeing_members_widen():
    errors = fit_errors(*simulate(24, np.random.default_rng(6)), 4)
    shares = np.array([[0.5, 0.5], [0.9, 0.1]])
    narrow = share_interval(SHARES, 500, errors, np.zeros(4))
    wide = share_interval(SHARES, 500, errors, np.full(4, member_spread(shares)[0]))
    assert (wide[1] - wide[0] > narrow[1] - narrow[0]).all()


def test_concentration_limits_hold_both_errors():
    low, high = product_interval(
        np.array([0.5]), (np.array([0.4]), np.array([0.6])), 1000.0, (900.0, 1100.0)
    )
    assert low[0] == pytest.approx(500 - np.hypot(100, 50))
    assert high[0] == pytest.approx(500 + np.hypot(100, 50))


def test_a_class_hard_to_tell_does_not_widen_the_others():
    rng = np.random.default_rng(7)
    found, known, sd, cells = simulate(24, rng, between=0.01)
    plain = fit_errors(found, known, sd, cells, 4).between
    harder = found.copy()
    harder[:, 3] = np.sin(np.clip(transform(found[:, 3]) + rng.normal(0, 0.2, 24), 0, 1.5)) ** 2
    assert fit_errors(harder, known, sd, cells, 4).between[0] < plain[0] + 0.01


def test_unusual_blood_gets_wider_intervals_where_it_is_harder():
    rng = np.random.default_rng(8)
    known = np.concatenate([np.tile(SHARES, (18, 1)), rng.dirichlet(np.ones(4), 10)])
    hard = np.repeat([0.01, 0.12], [18, 10])[:, None]
    phi = np.clip(transform(known) + rng.normal(0, 1, known.shape) * hard, 0.01, 1.5)
    found = np.sin(phi) ** 2 / (np.sin(phi) ** 2).sum(1, keepdims=True)
    errors = fit_errors(found, known, 0.03 * known, np.full(28, 5000.0), 4)
    usual = share_interval(SHARES, 5000, errors, np.zeros(4))[2]
    odd = share_interval(SHARES[::-1], 5000, errors, np.zeros(4))[2]
    assert (odd > 2 * usual).all()


def test_an_analyser_better_than_it_says_does_not_narrow():
    known = np.tile(SHARES, (40, 1))
    errors = fit_errors(known, known, 0.1 * known, np.full(40, 5000.0), 4)
    assert errors.conformal
    assert errors.factor >= 1.95


def test_stray_cells_are_allowed_for_where_they_are_most_of_a_class():
    rng = np.random.default_rng(11)
    errors = fit_errors(*simulate(24, rng, between=0.01), 4)
    blood = np.array([0.6, 0.3, 0.096, 0.004])
    hits = []
    for _ in range(400):
        seen = blood + np.array([-1, 0, 0, 1]) * np.maximum(rng.normal(0, 0.004), -0.004)
        share = rng.multinomial(600, seen) / 600
        low, high, _sd = share_interval(share, 600, errors, np.zeros(4))
        hits.append((low <= blood) & (blood <= high))
    assert np.mean(hits, axis=0)[3] > 0.96
    low, high, sd = share_interval(blood, 600, errors, np.zeros(4))
    phi = np.sin(transform(blood[:1]) + errors.factor * sd[:1] * np.array([-1, 1])) ** 2
    assert high[0] - low[0] == pytest.approx(phi[1] - phi[0], rel=0.01)
