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


def test_the_simpler_method_is_kept_unless_clearly_beaten():
    error = np.full((10, 3), 0.02)
    assert choose_method({"mean": error, "emq": 0.99 * error})[0] == "mean"
    assert choose_method({"mean": error, "emq": 0.5 * error})[0] == "emq"


def test_the_consensus_is_kept_where_it_is_about_as_good():
    error = np.full((10, 3), 0.02)
    scores = {"mean": 2 * error, "recalibrated": error, "emq": 1.2 * error}
    assert choose_method({**scores, "consensus": 1.05 * error})[0] == "consensus"
    assert choose_method({**scores, "consensus": 1.2 * error})[0] == "recalibrated"
