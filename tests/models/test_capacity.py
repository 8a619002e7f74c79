import numpy as np

from models.capacity import capacity_curve


def test_a_bare_head_peaks_where_numbers_match_bags_and_ridge_does_not():
    rng = np.random.default_rng(0)
    shares = rng.dirichlet((5, 3, 2), 24)
    loadings = rng.normal(0, 1, (3, 128))
    features = shares @ loadings + rng.normal(0, 0.3, (24, 128))
    curve = {
        size: (bare, ridged)
        for size, bare, ridged in capacity_curve(features, shares, np.arange(24))
    }
    # 20 of 24 bags teach at a time.
    peak = max(curve, key=lambda size: curve[size][0])
    assert 16 <= peak <= 24
    assert curve[peak][0] > 2 * curve[128][0]
    assert curve[peak][1] < 0.6 * curve[peak][0]


def test_few_donors_have_no_curve():
    assert capacity_curve(np.zeros((4, 8)), np.zeros((4, 3)), np.arange(4)) == []
