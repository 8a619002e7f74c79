import numpy as np

from models.kinds import learn_kinds
from models.shifts import class_means, largest_shift, learn_shifts

WIDTH = 10


def specimen(rng, *, moved=0.0, where=3):
    """Two classes of 150 cells and one of 12; donors differ in the second class's feature 1."""
    labels = np.repeat(np.arange(3), (150, 150, 12))
    build = rng.normal(0, 1, (len(labels), WIDTH))
    build[np.arange(len(labels)), 5 + labels] += 8
    build[labels == 1, 1] += rng.normal(0, 0.5)
    build[labels == 2, where] += moved
    return build, labels


def known(donors):
    rng = np.random.default_rng(0)
    made = [specimen(rng) for _ in range(donors)]
    kinds = learn_kinds([b for b, _ in made], [k for _, k in made], 4)
    return kinds, *learn_shifts([class_means(kinds, *pair) for pair in made], kinds), rng


def shift(kinds, shifts, pair):
    return largest_shift(shifts, kinds, class_means(kinds, *pair))


def test_a_small_class_that_lies_elsewhere_is_shifted():
    kinds, shifts, _, rng = known(16)
    plain = [shift(kinds, shifts, specimen(rng)) for _ in range(20)]
    moved = [shift(kinds, shifts, specimen(rng, moved=2.0)) for _ in range(20)]
    assert np.mean(np.array(moved) > np.max(plain)) > 0.9


def test_what_donors_differ_by_is_no_shift():
    kinds, shifts, _, rng = known(16)
    along = [shift(kinds, shifts, specimen(rng, moved=0.8, where=1)) for _ in range(20)]
    across = [shift(kinds, shifts, specimen(rng, moved=0.8, where=3)) for _ in range(20)]
    assert np.median(along) < np.median(across)


def test_donors_learned_from_are_judged_as_others_are():
    kinds, shifts, largest, rng = known(16)
    later = [shift(kinds, shifts, specimen(rng)) for _ in range(30)]
    assert abs(np.median(largest) - np.median(later)) < 1.0


def test_few_donors_say_nothing():
    kinds, shifts, largest, rng = known(4)
    assert (largest == 0).all()
    assert shift(kinds, shifts, specimen(rng, moved=5.0)) == 0


def test_a_class_without_cells_has_no_shift():
    kinds, shifts, _, rng = known(8)
    build, labels = specimen(rng)
    assert class_means(kinds, build, labels).cells[3] == 0
    few = labels < 2
    assert np.isfinite(shift(kinds, shifts, (build[few], labels[few])))
    assert shift(kinds, shifts, (build[:0], labels[:0])) == 0
