import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from models.composition import emq, fit_matrix, to_simplex
from models.recount import Census, corrected_share, recount

K = 4


def census(fraction, counts, unclassified=3, artefacts=2, half=0.05, total=7000.0):
    fraction = np.array(fraction, dtype=float)
    low, high = np.maximum(fraction - half, 0), np.minimum(fraction + half, 1)
    return Census(
        np.array(counts),
        int(sum(counts)) + unclassified,
        unclassified,
        artefacts,
        fraction,
        low,
        high,
        fraction * total,
        low * total * 0.9,
        high * total * 1.1,
        np.array([total, 0.9 * total, 1.1 * total]),
    )


def shares():
    return st.lists(st.floats(0, 1), min_size=K, max_size=K).map(
        lambda v: (np.array(v) + 1e-6) / (np.array(v) + 1e-6).sum()
    )


def counts():
    return st.lists(st.integers(0, 300), min_size=K, max_size=K)


@settings(deadline=None)
@given(shares(), counts(), counts(), st.integers(0, 50), st.integers(0, 50))
def test_shares_are_shares_and_lie_within_limits_that_sampling_allows(p, before, after, odd, dirt):
    found = recount(census(p, before), np.array(after), odd, dirt)
    assert (found.cells, found.unclassified, found.artefacts) == (sum(after) + odd, odd, dirt)
    if sum(after) == 0:
        same = before == after and (odd, dirt) == (3, 2)
        assert same or np.isnan(found.fraction).all()
        return
    assert (found.fraction >= 0).all()
    assert found.fraction.sum() == pytest.approx(1)
    assert (found.fraction_low <= found.fraction).all()
    assert (found.fraction_high >= found.fraction).all()
    assert (found.fraction_low >= 0).all()
    assert (found.fraction_high <= 1).all()
    assert (found.per_ul_low <= found.per_ul + 1e-9).all()
    assert (found.per_ul_high >= found.per_ul - 1e-9).all()
    if before != after:
        sd = np.sqrt(found.fraction * (1 - found.fraction) / found.cells)
        inner = (found.fraction > 0.2) & (found.fraction < 0.8)
        width = found.fraction_high - found.fraction_low
        # The arcsine's limits are those of the binomial up to a few percent.
        assert (width[inner] > 0.95 * 2 * 1.96 * sd[inner])[found.cells > 100].all()
        assert (found.fraction_high >= min(1, 3 / found.cells) - 1e-12).all()


@settings(deadline=None)
@given(shares(), counts())
def test_the_same_counts_give_the_prediction_bit_for_bit(p, before):
    predicted = census(p, before)
    assert recount(predicted, np.array(before), 3, 2) is predicted


@settings(deadline=None)
@given(shares(), counts(), st.integers(0, K - 1), st.integers(0, K - 1), st.integers(1, 20))
def test_a_class_that_wins_cells_does_not_fall(p, before, a, b, m):
    m = min(m, before[a])
    after = np.array(before)
    after[a] -= m
    after[b] += m
    if after.sum() == 0:
        return
    share = corrected_share(p, np.array(before), after)
    if a != b and m:
        assert share[b] >= p[b] - 1e-12
        assert share[a] <= p[a] + 1e-12


def test_where_nothing_was_allowed_for_a_cell_is_a_cell():
    before = np.array([50, 30, 20, 0])
    share = corrected_share(before / 100, before, np.array([45, 35, 20, 0]))
    assert share == pytest.approx([0.45, 0.35, 0.20, 0.0])


def test_what_was_allowed_for_is_not_counted_twice():
    """The calibration had said 10 of 50 cells are of the other class; they are found by hand."""
    share = corrected_share(
        np.array([0.4, 0.6, 0, 0]), np.array([50, 50, 0, 0]), np.array([40, 60, 0, 0])
    )
    assert share == pytest.approx([0.4, 0.6, 0, 0])


def test_a_first_correction_moves_nearly_a_whole_cell():
    share = corrected_share(
        np.array([0.4, 0.6, 0, 0]), np.array([500, 500, 0, 0]), np.array([499, 501, 0, 0])
    )
    assert 0.6009 < share[1] <= 0.601


def test_what_is_no_cell_lowers_the_concentration_and_no_share():
    predicted = census([0.5, 0.3, 0.2, 0.0], [50, 30, 20, 0], unclassified=10)
    found = recount(predicted, np.array([50, 30, 20, 0]), 0, 12)
    assert found.fraction == pytest.approx(predicted.fraction)
    assert found.total == pytest.approx(predicted.total * 100 / 110)


def test_no_cell_with_a_class_says_nothing():
    found = recount(census([1.0, 0, 0, 0], [5, 0, 0, 0]), np.zeros(K, int), 8, 2)
    assert np.isnan(found.fraction).all()
    assert np.isnan(found.total).all()


def test_a_concentration_that_cannot_be_said_stays_so():
    predicted = census([0.5, 0.5, 0, 0], [5, 5, 0, 0], total=np.nan)
    found = recount(predicted, np.array([4, 6, 0, 0]), 3, 2)
    assert np.isnan(found.per_ul).all()
    assert np.isfinite(found.fraction_high).all()


CENTRES = np.random.default_rng(3).normal(size=(5, 6)) * 0.9
PRIOR = np.append(np.full(5, 0.198), 0.01)


def _donor(draw):
    blood = draw.dirichlet(np.array([35, 18, 4, 2, 0.6]))
    truth = draw.choice(5, size=500, p=blood)
    seen = CENTRES[truth] + draw.normal(size=(500, 6)) + 0.3 * draw.normal(size=6)
    logits = -0.5 * np.square(seen[:, None] - CENTRES).sum(-1)
    return blood, truth, np.column_stack([logits, np.full(500, -60.0)])


@pytest.fixture(scope="module")
def calibrated():
    """A consensus of the calibrated map and EMQ, as the models report it."""
    draw = np.random.default_rng(4)
    donors = [_donor(draw) for _ in range(30)]
    means = np.stack([softmax(logits[:, :5], axis=1).mean(0) for _, _, logits in donors])
    matrix = fit_matrix(means, np.stack([blood for blood, _, _ in donors]), np.ones(30))

    def share(logits):
        mapped = to_simplex(softmax(logits[:, :5], axis=1).mean(0) @ matrix)
        return (mapped + emq(logits, PRIOR)) / 2

    return share


@pytest.mark.parametrize(("looked_at", "gain"), [(0.05, 0.99), (0.2, 0.95), (0.5, 0.9), (1, 0.75)])
def test_a_careful_reader_makes_the_result_better_however_much_is_read(calibrated, looked_at, gain):
    draw = np.random.default_rng(5)
    errors = []
    for _ in range(60):
        blood, truth, logits = _donor(draw)
        share = calibrated(logits)
        posterior = softmax(logits[:, :5], axis=1)
        called, now = posterior.argmax(1), posterior.argmax(1)
        least = np.argsort(posterior.max(1))[: int(looked_at * 500)]
        now[least] = truth[least]
        corrected = corrected_share(
            share, np.bincount(called, minlength=5), np.bincount(now, minlength=5)
        )
        errors.append([np.abs(value - blood).mean() for value in (share, corrected)])
    before, after = np.mean(errors, axis=0)
    assert after < gain * before
