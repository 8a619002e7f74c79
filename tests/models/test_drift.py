import numpy as np

from models.drift import drift, learn_look


def test_a_common_look_off_by_more_than_donors_differ_is_drift():
    rng = np.random.default_rng(8)

    def specimen(look):
        labels = rng.integers(0, 2, 200)
        return rng.normal(0, 1, (200, 4)) + 3 * labels[:, None] + look, labels

    donors = [specimen(rng.normal(0, 0.1, 4)) for _ in range(16)]
    usual = learn_look([s for s, _ in donors], [k for _, k in donors], 3)
    assert drift(usual, *specimen(rng.normal(0, 0.1, 4))) < 4
    assert drift(usual, *specimen(np.array([0, 1.5, 0, 0]))) > 4
    few = learn_look([s for s, _ in donors[:4]], [k for _, k in donors[:4]], 3)
    assert drift(few, *specimen(np.array([0, 1.5, 0, 0]))) == 0


def test_a_change_that_donors_never_show_stands_out_though_each_part_of_it_is_ordinary():
    rng = np.random.default_rng(9)

    def specimen(look):
        labels = rng.integers(0, 2, 400)
        return rng.normal(0, 0.3, (400, 2)) + 3 * labels[:, None] + look, labels

    # Donors are large and pale or small and dark; the instrument makes cells large and dark.
    donors = [specimen(rng.normal(0, 0.2) * np.array([1, -1])) for _ in range(24)]
    usual = learn_look([s for s, _ in donors], [k for _, k in donors], 3)
    assert drift(usual, *specimen(np.array([0.3, -0.3]))) < 3
    assert drift(usual, *specimen(np.array([0.3, 0.3]))) > 4
