import numpy as np
import torch

from models.morphology import measure_morphology

AREA, NUCLEUS = 0, 29


def cells(*, radius=15.0, nucleus=8.0, grain=0.0, seed=0, number=4):
    """Discs with a darker nucleus off the middle; (n, 1, 48, 48) uint8."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:48, :48] - 23.5
    shown = []
    for _ in range(number):
        picture = np.where(np.hypot(y, x) < radius, -0.3, 0.0)
        picture[np.hypot(y - 3, x + 2) < nucleus] = -0.7
        picture = picture + (picture < 0) * rng.normal(0, grain + 0.01, picture.shape)
        shown.append(np.clip(128 + 127 * picture, 0, 255).astype(np.uint8))
    return torch.from_numpy(np.stack(shown)[:, None])


def test_a_turned_or_mirrored_cell_is_built_the_same():
    shown = cells(grain=0.1)
    plain = measure_morphology(shown)
    for other in (shown.rot90(1, (2, 3)), shown.flip(3)):
        assert np.allclose(measure_morphology(other), plain, atol=2e-3)


def test_outline_and_nucleus_are_told_apart():
    plain = measure_morphology(cells()).mean(0)
    larger = measure_morphology(cells(radius=18)).mean(0)
    darker = measure_morphology(cells(nucleus=11)).mean(0)
    assert abs(larger[AREA] - plain[AREA] - 2 * np.log(18 / 15)) < 0.1
    assert abs(darker[AREA] - plain[AREA]) < 0.05
    # Odds of a pixel of the cell to be of the nucleus.
    share = [n**2 / 15**2 for n in (8, 11)]
    odds = [np.log(s / (1 - s)) for s in share]
    assert abs(darker[NUCLEUS] - plain[NUCLEUS] - (odds[1] - odds[0])) < 0.3


def test_grain_is_seen():
    smooth, rough = (measure_morphology(cells(grain=g)).mean(0) for g in (0.0, 0.15))
    assert (rough - smooth).max() > 0.5


def test_views_of_a_cell_are_averaged():
    one, other = cells(seed=1), cells(seed=2, nucleus=10)
    both = measure_morphology(torch.cat([one, other], dim=1))
    mean = (measure_morphology(one) + measure_morphology(other)) / 2
    assert np.allclose(both, mean, atol=1e-4)


def test_an_empty_picture_and_no_picture_give_finite_numbers():
    empty = torch.full((2, 1, 48, 48), 128, dtype=torch.uint8)
    found = measure_morphology(torch.cat([empty, torch.zeros_like(empty)]))
    assert np.isfinite(found).all()
    assert measure_morphology(empty[:0]).shape == (0, found.shape[1])
