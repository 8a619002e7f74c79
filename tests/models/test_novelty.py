import numpy as np

from models.novelty import drift, learn_familiar, surprise, unusual
from models.shapes import measure_shapes
from tests.models.toys import crops, draw_cell

PURE = [(40, 30, 20), (60, 20, 10), (20, 40, 30), (45, 30, 15), (30, 30, 30), (50, 30, 10)]


def specimens(seed, *, gain=1.0):
    rng = np.random.default_rng(seed)
    made = []
    for counts in PURE:
        pictures = [draw_cell(k, rng) for k, n in enumerate(counts) for _ in range(n)]
        shown = np.clip(128 + (np.stack(pictures) - 128) * gain, 0, 255).astype(np.uint8)
        made.append((measure_shapes(shown[:, None]), np.repeat(np.arange(3), counts)))
    return made


def share(familiar, shapes, labels):
    return (surprise(familiar, shapes, labels) > familiar.threshold).mean()


def test_cells_of_another_kind_are_strange_and_known_ones_are_not():
    familiar = learn_familiar(*zip(*specimens(0), strict=True), 4)
    shapes, labels = specimens(1)[0]
    assert share(familiar, shapes, labels) < 0.08
    rng = np.random.default_rng(2)
    other = np.full((12, 1, 48, 48), 128, np.uint8)
    other[:, :, 6:42:4, 6:42] = rng.integers(30, 60, (12, 1, 1, 1))
    both = np.concatenate([shapes, measure_shapes(other)])
    # The network takes them for the first class: it knows no better.
    found = surprise(familiar, both, np.append(labels, np.zeros(12, int)))
    assert (found[0, -12:] > familiar.threshold).all()
    assert unusual(familiar, found) > 2
    assert unusual(familiar, surprise(familiar, shapes, labels)) < 2


def test_a_donors_stain_alone_is_no_news():
    familiar = learn_familiar(*zip(*specimens(0), strict=True), 4)
    shapes, labels = specimens(3, gain=0.75)[0]
    assert share(familiar, shapes, labels) < 0.1


def test_a_class_never_seen_has_no_say():
    familiar = learn_familiar(*zip(*specimens(0), strict=True), 4)
    assert np.isnan(familiar.middle[3]).all()
    shapes, labels = specimens(1)[1]
    assert np.isfinite(surprise(familiar, shapes, np.full_like(labels, 3))).all()


def test_no_cells_are_not_unusual():
    familiar = learn_familiar(*zip(*specimens(0), strict=True), 4)
    nothing = measure_shapes(crops((0, 0, 0), np.random.default_rng(0)))
    found = surprise(familiar, nothing, np.zeros(0, int))
    assert found.shape == (1, 0)
    assert unusual(familiar, found) == 0


def test_many_doubtful_cells_are_unusual_though_each_looks_ordinary():
    rng = np.random.default_rng(4)

    def doubts(n, odd=0.0):
        return np.where(rng.random(n) < odd, rng.uniform(0.3, 0.5, n), rng.beta(0.3, 10, n))

    shapes, labels = zip(*specimens(0), strict=True)
    familiar = learn_familiar(shapes, labels, 4, doubts=[doubts(len(s)) for s in labels])
    shown, label = specimens(1)[0]
    plain = surprise(familiar, shown, label, np.stack([doubts(len(label)) for _ in range(3)]))
    assert plain.shape == (3, len(label))
    odd = surprise(familiar, shown, label, np.stack([doubts(len(label), 0.3) for _ in range(3)]))
    assert unusual(familiar, odd) > unusual(familiar, plain) + 2


def test_a_common_look_off_by_more_than_donors_differ_is_drift():
    rng = np.random.default_rng(8)

    def specimen(look):
        labels = rng.integers(0, 2, 200)
        return rng.normal(0, 1, (200, 4)) + 3 * labels[:, None] + look, labels

    donors = [specimen(rng.normal(0, 0.1, 4)) for _ in range(16)]
    familiar = learn_familiar([s for s, _ in donors], [k for _, k in donors], 3)
    assert drift(familiar, *specimen(rng.normal(0, 0.1, 4))) < 4
    assert drift(familiar, *specimen(np.array([0, 1.5, 0, 0]))) > 4
    few = learn_familiar([s for s, _ in donors[:4]], [k for _, k in donors[:4]], 3)
    assert drift(few, *specimen(np.array([0, 1.5, 0, 0]))) == 0


def test_a_change_that_donors_never_show_stands_out_though_each_part_of_it_is_ordinary():
    rng = np.random.default_rng(9)

    def specimen(look):
        labels = rng.integers(0, 2, 400)
        return rng.normal(0, 0.3, (400, 2)) + 3 * labels[:, None] + look, labels

    # Donors are large and pale or small and dark; the instrument makes cells large and dark.
    donors = [specimen(rng.normal(0, 0.2) * np.array([1, -1])) for _ in range(24)]
    familiar = learn_familiar([s for s, _ in donors], [k for _, k in donors], 3)
    assert drift(familiar, *specimen(np.array([0.3, -0.3]))) < 3
    assert drift(familiar, *specimen(np.array([0.3, 0.3]))) > 4
