import numpy as np
import pytest

from models.composition import (
    choose_method,
    count_shares,
    emq,
    fit_matrix,
    fit_scaling,
    posterior_mean,
    recovered,
    to_simplex,
    with_consensus,
)

PRIOR = np.array([0.5, 0.3, 0.15, 0.05])


def evidence(shares, n, rng, strength=3.0):
    labels = rng.choice(4, size=n, p=shares)
    return strength * np.eye(4)[labels] + rng.normal(0, 1, (n, 4)) * np.sqrt(strength)


def test_emq_finds_shares_far_from_the_prior():
    shares = np.array([0.05, 0.05, 0.85, 0.05])
    logits = evidence(shares, 4000, np.random.default_rng(0))
    cells = shares[:-1] / shares[:-1].sum()
    assert np.abs(emq(logits, PRIOR) - cells).max() < 0.03
    assert np.abs(posterior_mean(logits[None], PRIOR) - cells).max() > 0.1


def test_counting_leaves_artefacts_out():
    logits = np.zeros((1, 4, 4))
    logits[0, :2, 0] = logits[0, 2, 1] = logits[0, 3, 3] = 20
    assert count_shares(logits, PRIOR) == pytest.approx([2 / 3, 1 / 3, 0])


def test_simplex_projection_is_the_nearest_point():
    assert to_simplex(np.array([0.2, 0.3, 0.5])) == pytest.approx([0.2, 0.3, 0.5])
    assert to_simplex(np.array([1.2, -0.1, 0.1])) == pytest.approx([1.0, 0.0, 0.0])


def test_recovery_is_divided_out():
    assert recovered(np.array([0.5, 0.5]), np.array([1.0, 0.5])) == pytest.approx([1 / 3, 2 / 3])


def test_matrix_undoes_a_confusion_and_stays_put_without_one():
    rng = np.random.default_rng(1)
    shares = rng.dirichlet((3, 3, 3), 40)
    confusion = np.array([[0.9, 0.1, 0], [0.2, 0.8, 0], [0, 0.1, 0.9]])
    means = shares @ confusion
    fitted = fit_matrix(means, shares, np.ones(40))
    assert np.abs(means @ fitted - shares).max() < 0.01
    few = fit_matrix(shares[:3], shares[:3], np.ones(3))
    assert few == pytest.approx(np.eye(3))


def test_scaling_repairs_biased_evidence():
    rng = np.random.default_rng(2)
    shares = rng.dirichlet((4, 3, 2), 12)
    full = np.column_stack([shares * 0.95, np.full(12, 0.05)])
    tilt = np.array([0.0, 0.8, -0.5, 0.0])
    logits = [1.8 * (evidence(p, 400, rng) + tilt) for p in full]

    def error(scale, bias):
        found = [emq(part * scale + bias, PRIOR) for part in logits]
        return np.abs(np.array(found) - shares).mean()

    scale, bias = fit_scaling(logits, shares, PRIOR, np.ones(3))
    assert error(scale, bias) < 0.7 * error(1.0, np.zeros(4))


def errors_of(rng, size):
    return size * rng.normal(0, 1, (24, 3))


def test_emq_reports_unless_another_is_better_beyond_doubt():
    rng = np.random.default_rng(3)
    base = errors_of(rng, 0.03)
    luck = base * rng.uniform(0.7, 1.3, base.shape)
    assert choose_method({"emq": base, "consensus": luck, "counting": luck})[0] == "emq"
    assert choose_method({"emq": base, "consensus": base, "counting": 0.5 * base})[0] == "counting"


def test_the_consensus_stands_in_where_emq_runs_away():
    rng = np.random.default_rng(4)
    base = errors_of(rng, 0.03)
    away = base + 0.4 * (rng.random((24, 1)) < 0.15)
    assert choose_method({"emq": away, "consensus": (away + base) / 2})[0] == "consensus"


@pytest.mark.parametrize(("told", "chosen"), [(1, "emq"), (2, "counting"), (3, "counting")])
def test_donors_who_tell_few_classes_do_not_judge_methods(told, chosen):
    rng = np.random.default_rng(3)
    base = errors_of(rng, 0.03)
    base[:, told:] = np.nan
    errors = {"emq": base, "consensus": base, "counting": 0.5 * base}
    assert choose_method(errors)[0] == chosen


def test_without_emq_and_consensus_the_simplest_method_stands_in():
    rng = np.random.default_rng(3)
    base = errors_of(rng, 0.03)
    chosen, scores = choose_method({"mean": base, "counting": base})
    assert chosen == "counting"
    assert scores["mean"][1] >= scores["mean"][0]


def test_what_methods_err_by_in_common_specimens_is_no_news_to_their_consensus():
    shares = np.array([0.5, 0.3, 0.2])
    tilted = recovered(shares, np.array([1.2, 0.9, 1.0]))
    found = {"counting": tilted, "recalibrated": shares, "emq": shares}
    lens = {"counting": 1 / np.array([1.2, 0.9, 1.0])}
    assert with_consensus(found, lens)["consensus"] == pytest.approx(shares)
