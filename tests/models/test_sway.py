import numpy as np
import pytest
from scipy.special import softmax

from models.composition import Calibration, posterior_mean
from models.sway import sway

PRIOR = np.array([0.5, 0.3, 0.15, 0.05])
PLAIN = Calibration(np.eye(3), 1.0, np.zeros(4), np.ones(3), "emq", {})


def _cells(rng, number, certainty):
    """(1, n, 4) evidence of cells whose classes are drawn from the usual composition."""
    labels = rng.choice(4, size=number, p=PRIOR)
    return (certainty * np.eye(4)[labels] + rng.normal(0, 1, (number, 4)))[None]


def test_sway_is_how_a_share_answers_to_evidence():
    logits = _cells(np.random.default_rng(0), 3000, 3.0)
    posterior = softmax(logits + np.log(PRIOR), axis=-1).mean((0, 1))
    share = posterior[:-1] / posterior[:-1].sum()
    # Half-way between what was found and the usual composition: here they are one.
    found = sway(logits, np.append(share * (1 - posterior[-1]), posterior[-1]), PLAIN, share)
    for k in range(3):
        more = logits.copy()
        more[..., k] += 0.01
        # Cells of dirt that go over to the class count besides: compare the sums themselves.
        moved = softmax(more + np.log(PRIOR), axis=-1).mean((0, 1))[k] - posterior[k]
        assert found[k] == pytest.approx(moved / 0.01 / (1 - posterior[-1]), rel=0.15)


def test_certain_cells_leave_nothing_to_sway():
    rng = np.random.default_rng(1)
    doubtful, certain = (_cells(rng, 500, c) for c in (2.0, 20.0))
    share = PRIOR[:-1] / PRIOR[:-1].sum()
    assert (sway(certain, PRIOR, PLAIN, share) < 1e-3).all()
    assert (sway(doubtful, PRIOR, PLAIN, share) > 0.02).all()


def test_a_class_that_was_not_found_may_still_be_there():
    logits = _cells(np.random.default_rng(2), 500, 3.0)
    none = np.array([0.7, 0.3, 0.0])
    assert sway(logits, PRIOR, PLAIN, none)[2] > 0.005
    assert posterior_mean(logits, PRIOR)[2] > 0.05


def test_no_cells_say_nothing():
    assert sway(np.zeros((2, 0, 4)), PRIOR, PLAIN, np.full(3, 1 / 3)).tolist() == [0, 0, 0]
