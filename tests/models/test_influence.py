import numpy as np
import pytest

from models.embedding import class_means_map, fit_embedding, make_lens
from models.influence import influences
from models.planner import Lessons

NOTHING = np.zeros(2)


def study(seed=0, donors=10, cells=60):
    rng = np.random.default_rng(seed)
    middles = rng.normal(0, 2, (3, 9))
    shares = rng.dirichlet((4, 3, 2), donors)
    labels = [rng.choice(3, cells, p=p) for p in shares]
    shapes = [middles[k] + rng.normal(0, 0.5, (cells, 9)) for k in labels]
    holds = np.column_stack(
        [[np.bincount(k, minlength=3) / cells for k in labels], np.zeros(donors)]
    )
    return shapes, holds


def lessons(lens, shapes, holds):
    features = np.array([lens.mean(part, NOTHING) for part in shapes])
    pure = np.array([lens.mean(shapes[0][:5], NOTHING)])
    return Lessons(
        lens, features, holds, holds[:, :3], np.arange(len(holds)),
        pure, np.array([[1.0, 0, 0, 0]]), np.array([0.3]),
    )  # fmt: skip


def loss(known, importance, but):
    """What is left of every donor but one, each by a head that never saw that donor."""
    total = 0.0
    for d in range(len(known.features)):
        rows = np.delete(np.arange(len(known.features)), d)
        holds = np.concatenate([known.holds[rows], known.pure_holds])
        features = np.concatenate([known.features[rows], known.pure_features])
        weights = np.append(np.ones(len(rows)), known.pure_weights)
        common = np.append(np.ones(len(known.features)), known.pure_weights)
        every = np.concatenate([known.features, known.pure_features])
        centre = common @ every / common.sum()
        weighted = holds * weights[:, None]
        means = centre + np.linalg.solve(
            holds.T @ weighted + 0.02 * np.eye(4), weighted.T @ (features - centre)
        )
        if d != but:
            total += float(importance @ np.square(known.features[d] - known.holds[d] @ means))
    return total


def test_the_map_makes_the_means_that_are_fitted():
    shapes, holds = study()
    lens = make_lens(np.concatenate(shapes))
    features = np.array([lens.mean(part, NOTHING) for part in shapes])
    weights = np.linspace(0.5, 1, len(holds))
    fitted = fit_embedding(lens, features, holds, weights)
    assert class_means_map(holds, weights) @ features == pytest.approx(fitted.means)


def test_the_order_is_that_of_leaving_each_cell_out_and_learning_again():
    shapes, holds = study()
    lens = make_lens(np.concatenate(shapes))
    known = lessons(lens, shapes, holds)
    found = influences(known, [lens.each(part, NOTHING) for part in shapes])[3]
    importance = np.ones(len(lens.phase))
    before = loss(known, importance, but=3)
    again = []
    for i in range(len(shapes[3])):
        without = [part if b != 3 else np.delete(part, i, 0) for b, part in enumerate(shapes)]
        again.append(loss(lessons(lens, without, holds), importance, but=3) - before)
    assert np.corrcoef(found, again)[0, 1] > 0.95


def test_cells_that_the_sheet_does_not_own_to_do_harm():
    harm = []
    for seed in range(4):
        shapes, holds = study(seed, cells=80)
        lens = make_lens(np.concatenate(shapes))
        donor, kind = int(holds[:, 0].argmax()), int(holds.sum(0)[:3].argmin())
        other = int(holds[:, kind].argmax())
        # A dozen cells of the rarest class stand where the sheet tells of none.
        shapes[donor][:12] = shapes[other][:12]
        known = lessons(lens, shapes, holds)
        found = influences(known, [lens.each(part, NOTHING) for part in shapes])[donor]
        assert np.isfinite(found).all()
        harm.append(found[12:].mean() - found[:12].mean())
    assert np.mean(harm) > 0
    assert np.sum(np.array(harm) > 0) >= 3
