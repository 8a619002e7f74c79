import numpy as np
import pytest

from pipeline.figures import _flicker, _stuck_share, _trend, hidden_share


def test_hidden_cells_are_as_many_as_of_points_at_random():
    rng, side, near, true = np.random.default_rng(0), 1000.0, 12.0, 400
    seen = []
    for _ in range(20):
        x, y = rng.uniform(0, side, (2, true))
        # A point near one that is seen already is not told from it.
        kept = []
        for point in zip(x, y, strict=True):
            if all(np.hypot(point[0] - a, point[1] - b) > near for a, b in kept):
                kept.append(point)
        seen.append(len(kept))
    found = hidden_share(float(np.mean(seen)), np.pi * near**2 / side**2)
    assert np.mean(seen) * (1 + found) == pytest.approx(true, rel=0.01)
    assert hidden_share(0.0, 0.01) == 0


def test_a_slow_change_of_the_lamp_is_a_trend_and_no_flicker():
    slow = np.linspace(1, 0.8, 100)
    assert _trend(slow) == pytest.approx(0.81, abs=0.02)
    assert _flicker(slow) < 1e-6
    assert _flicker(1 + 0.02 * (-1.0) ** np.arange(100)) == pytest.approx(0.028, rel=0.02)
    assert _trend(slow[:5]) == 1


def test_stuck_is_what_stays_several_times_as_long_as_usual():
    assert _stuck_share(np.array([8, 9, 8, 90])) == 0.25
    assert np.isnan(_stuck_share(np.array([])))
