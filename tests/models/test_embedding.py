import numpy as np
import pytest

from models.embedding import fit_embedding, make_lens


def cells(shares, n, rng, shift=0.0):
    """Cells of three classes that overlap, nine numbers each."""
    kinds = rng.choice(3, size=n, p=shares)
    middle = np.zeros((3, 9))
    middle[1, 3], middle[2, 7] = 1.5, 1.5
    return middle[kinds] + rng.normal(0, 0.7, (n, 9)) + shift


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    shares = rng.dirichlet((3, 3, 3), 20)
    lens = make_lens(cells((1 / 3,) * 3, 600, rng))
    features = np.stack([lens.mean(cells(p, 800, rng), np.zeros(2)) for p in shares])
    holds = np.column_stack([shares, np.zeros(20)])
    return fit_embedding(lens, features, holds, np.ones(20))


def test_shares_come_back_from_a_mean(fitted):
    rng = np.random.default_rng(1)
    shares = np.array([0.15, 0.25, 0.6])
    feature = fitted.lens.mean(cells(shares, 3000, rng), np.zeros(2))
    found = fitted.shares(feature, 0.0)
    assert found.sum() == pytest.approx(1)
    assert np.abs(found - shares).max() < 0.05


def test_a_known_look_is_taken_off(fitted):
    rng = np.random.default_rng(2)
    plain = cells((0.2, 0.2, 0.6), 2000, rng)
    darker = plain + 0.8 * np.array([0, 1, 1, 0, 0, 1, 1, 0, 0])
    effect = np.array([0.8, 0.0])
    assert fitted.lens.mean(darker, effect) == pytest.approx(fitted.lens.mean(plain, np.zeros(2)))


def test_no_cells_give_shares_all_the_same(fitted):
    nothing = fitted.lens.mean(np.zeros((0, 9)), np.zeros(2))
    assert fitted.shares(nothing, 0.0).sum() == pytest.approx(1)
