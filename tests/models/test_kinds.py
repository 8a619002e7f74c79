import numpy as np

from models.kinds import compare, learn_kinds, residuals

WIDTH = 20


def specimen(rng, counts=(120, 120, 0), look=0.0):
    labels = np.repeat(np.arange(3), counts)
    build = rng.normal(0, 1, (len(labels), WIDTH))
    build[labels == 1, 0] += 8
    return build + look, labels


def known(seed=0, counts=(120, 120, 0)):
    rng = np.random.default_rng(seed)
    donors = [specimen(rng, counts, rng.normal(0, 0.5)) for _ in range(8)]
    kinds = learn_kinds([b for b, _ in donors], [k for _, k in donors], 3)
    return kinds, *compare(kinds, *donors[0])


def test_a_cell_between_two_classes_is_of_neither():
    kinds, distance, dissent = known()
    rng = np.random.default_rng(1)
    build, labels = specimen(rng)
    build[:10, 0] = 4  # half-way, and called the first class
    build[10:20, 0] = 8  # a cell of the second class that was called the first
    far, against = compare(kinds, build, labels)
    usual = np.quantile(distance, 0.99), np.quantile(dissent, 0.99)
    assert (far[:10] > np.median(distance)).mean() > 0.8
    assert (against[10:20] > usual[1]).all()
    assert (far[10:20] > usual[0]).all()
    assert (far[20:] > usual[0]).mean() < 0.05
    assert (against[20:] > usual[1]).mean() < 0.05


def test_a_donors_look_alone_is_no_news():
    kinds, distance, dissent = known()
    far, against = compare(kinds, *specimen(np.random.default_rng(2), look=1.0))
    assert (far > np.quantile(distance, 0.99)).mean() < 0.05
    assert (against > np.quantile(dissent, 0.99)).mean() < 0.05


def test_a_class_never_seen_is_compared_with_the_nearest_one():
    kinds, _, _ = known()
    assert np.isnan(kinds.middle[2]).all()
    build, labels = specimen(np.random.default_rng(3))
    as_known, _ = compare(kinds, build, labels)
    unknown, against = compare(kinds, build, np.full_like(labels, 2))
    assert np.isfinite(unknown).all()
    assert (unknown <= as_known + 20).all()
    assert (against == 0).all()


def test_few_cells_of_many_features_still_give_finite_distances():
    rng = np.random.default_rng(4)
    build, labels = specimen(rng, counts=(35, 0, 0))
    kinds = learn_kinds([build], [labels], 3)
    for shown in (build, build + 1, -3 * build):
        assert np.isfinite(compare(kinds, shown, labels)).all()


def test_nothing_learned_says_nothing():
    kinds = learn_kinds([np.zeros((5, WIDTH))], [np.zeros(5, int)], 3)
    far, against = compare(kinds, np.ones((4, WIDTH)), np.zeros(4, int))
    assert (far == 0).all()
    assert (against == 0).all()


def test_what_classes_do_not_differ_in_is_less_of_news_than_what_they_do():
    kinds, *_ = known()
    rng = np.random.default_rng(6)
    build, labels = specimen(rng)
    build[:10, 0] += 4.0  # towards the other class
    build[10:20, 5] += 4.0  # in what is alike in both
    far, _ = compare(kinds, build, labels)
    assert np.median(far[:10]) > np.median(far[10:20]) + 5


def test_a_single_class_has_a_rival_too():
    rng = np.random.default_rng(7)
    donors = [specimen(rng, (150, 0, 0)) for _ in range(3)]
    kinds = learn_kinds([b for b, _ in donors], [k for _, k in donors], 3)
    build, labels = specimen(rng, (150, 0, 0))
    build[:10] += rng.normal(0, 3, (10, WIDTH))
    far, _ = compare(kinds, build, labels)
    assert far[:10].min() > np.quantile(far[10:], 0.9)


def test_residuals_lack_look_and_class():
    kinds, *_ = known()
    build, labels = specimen(np.random.default_rng(8), look=2.0)
    rest = residuals(kinds, build, labels) * kinds.scale
    assert abs(np.median(rest, axis=0)).max() < 0.3
    assert np.isnan(residuals(kinds, build, np.full_like(labels, 2))).all()
