import numpy as np
import torch

from cellcensus.settings import CompositionSettings
from models.evidence import measure_builds
from models.normalise import measure_cells, typical
from models.novelty import learn_familiar, surprise, unusual
from tests.models.toys import crops, draw_cell

LIMIT = CompositionSettings().unusual_unclassified
PURE = [(40, 30, 20), (60, 20, 10), (20, 40, 30), (45, 30, 15), (30, 30, 30), (50, 30, 10)]


def builds(pictures):
    look = typical(measure_cells(pictures)) if len(pictures) else np.zeros(2)
    return measure_builds(pictures, look, torch.device("cpu"))


def specimens(seed, *, gain=1.0):
    rng = np.random.default_rng(seed)
    made = []
    for counts in PURE:
        pictures = [draw_cell(k, rng) for k, n in enumerate(counts) for _ in range(n)]
        shown = np.clip(128 + (np.stack(pictures) - 128) * gain, 0, 255).astype(np.uint8)
        made.append((builds(shown[:, None]), np.repeat(np.arange(3), counts)))
    return made


def share(familiar, shown, labels):
    return (surprise(familiar, shown, labels) > familiar.threshold).mean()


def oddness(familiar, shown, labels):
    return unusual(familiar, shown, labels, surprise(familiar, shown, labels))


def test_cells_of_another_kind_are_strange_and_known_ones_are_not():
    familiar = learn_familiar(*zip(*specimens(0), strict=True), 4)
    shown, labels = specimens(1)[0]
    assert share(familiar, shown, labels) < 0.08
    rng = np.random.default_rng(2)
    other = np.full((12, 1, 48, 48), 128, np.uint8)
    other[:, :, 6:42:4, 6:42] = rng.integers(30, 60, (12, 1, 1, 1))
    both = np.concatenate([shown, builds(other)])
    # The network takes them for the first class: it knows no better.
    taken = np.append(labels, np.zeros(12, int))
    found = surprise(familiar, both, taken)
    assert (found[-12:] > familiar.threshold).all()
    assert oddness(familiar, both, taken) > LIMIT
    assert oddness(familiar, shown, labels) < LIMIT


def test_a_donors_stain_alone_is_no_news():
    familiar = learn_familiar(*zip(*specimens(0), strict=True), 4)
    shown, labels = specimens(3, gain=0.75)[0]
    assert share(familiar, shown, labels) < 0.1


def test_a_class_never_seen_has_no_say():
    familiar = learn_familiar(*zip(*specimens(0), strict=True), 4)
    assert np.isnan(familiar.kinds.middle[3]).all()
    shown, labels = specimens(1)[1]
    assert np.isfinite(surprise(familiar, shown, np.full_like(labels, 3))).all()


def test_no_cells_are_not_unusual():
    familiar = learn_familiar(*zip(*specimens(0), strict=True), 4)
    nothing = builds(crops((0, 0, 0), np.random.default_rng(0)))
    assert surprise(familiar, nothing, np.zeros(0, int)).shape == (0,)
    assert oddness(familiar, nothing, np.zeros(0, int)) == 0


def donor(rng, *, between=0, rare=0):
    """400 cells of two classes and 12 of a rare one; strange ones among them."""
    labels = np.where(np.arange(400) < 12, 2, rng.integers(0, 2, 400))
    builds = rng.normal(0, 1, (400, 12))
    builds[:, 0] += 8.0 * (labels == 1)
    builds[:, 1] += 8.0 * (labels == 2)
    builds[20 : 20 + between, 0] = 4.5
    labels[20 : 20 + between] = 0  # what the network takes them for
    builds[20 : 20 + rare, 1] = 6.0
    builds[20 : 20 + rare, 2] += 1.5
    labels[20 : 20 + rare] = 2
    return builds, labels


def known(rng, donors=12):
    return learn_familiar(*zip(*[donor(rng) for _ in range(donors)], strict=True), 4)


def test_many_cells_between_two_classes_are_unusual_though_none_is_far_from_either():
    rng = np.random.default_rng(4)
    familiar = known(rng)
    assert oddness(familiar, *donor(rng)) < 2
    assert oddness(familiar, *donor(rng, between=30)) > 3


def test_a_rare_class_that_strange_cells_join_gives_them_away():
    rng = np.random.default_rng(5)
    familiar = known(rng)
    assert oddness(familiar, *donor(rng)) < LIMIT
    assert oddness(familiar, *donor(rng, rare=14)) > LIMIT


def test_one_ordinary_donor_in_ten_is_flagged_at_most():
    rng = np.random.default_rng(6)
    familiar = known(rng, donors=16)
    assert np.mean([oddness(familiar, *donor(rng)) > LIMIT for _ in range(60)]) < 0.2
