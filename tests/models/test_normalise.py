import numpy as np
import torch

from models.normalise import donor_effect, fit_looks, measure_cells, typical
from models.pictures import prepare, to_window
from tests.models.toys import crops


def test_composition_is_told_from_donor_effects():
    rng = np.random.default_rng(0)
    truth = np.array([[0.2, 0.3], [-0.2, -0.1], [0.0, 0.4]])
    shares = rng.dirichlet((2, 2, 2), 60)
    donors = rng.normal(0, 0.05, (60, 2))
    means = -1.0 + shares @ truth + donors
    looks = fit_looks(means, shares, np.zeros(60, bool))
    rows = list(zip(means, shares, strict=True))
    found = np.array([donor_effect(looks, m, s, certain=True) for m, s in rows])
    assert np.abs(found - donors).mean() < 0.02
    naive = means - means.mean(0)
    assert np.abs(naive - donors).mean() > 0.05


def test_gain_and_size_are_taken_off():
    rng = np.random.default_rng(1)
    pale = crops((60, 0, 0), rng, gain=0.6)
    dark = crops((60, 0, 0), rng, gain=1.2)
    same = [prepare(c, typical(measure_cells(c)), torch.device("cpu")) for c in (pale, dark)]
    inside = [float((128 - p[:, 0, 13:19, 13:19].float()).mean()) for p in same]
    assert abs(inside[0] / inside[1] - 1) < 0.05


def test_too_few_cells_have_no_typical_look():
    looks = fit_looks(np.zeros((4, 2)), np.full((4, 2), 0.5), np.zeros(4, bool))
    few = typical(measure_cells(crops((5, 0, 0), np.random.default_rng(2))))
    assert np.isnan(few).all()
    assert (donor_effect(looks, few, np.array([0.5, 0.5])) == 0).all()


def test_a_guess_takes_off_no_more_than_donors_differ_by():
    rng = np.random.default_rng(3)
    shares = rng.dirichlet((3, 3), 40)
    means = np.column_stack([rng.normal(0, 0.2, 40), rng.normal(0, 0.01, 40)])
    looks = fit_looks(means, shares, np.zeros(40, bool))
    odd, even = np.array([0.3, 0.3]) + looks.centre, np.array([0.5, 0.5])
    stain, size = donor_effect(looks, odd, even)
    assert stain > 0.25
    assert size < 0.1


def test_crops_of_another_window_are_brought_to_the_same_scale():
    cells = crops((60, 0, 0), np.random.default_rng(4))
    before = typical(measure_cells(cells))[1]
    after = typical(measure_cells(to_window(cells, 24.0, 30.0)))[1]
    assert abs(after - before - np.log(24 / 30)) < 0.04
    assert to_window(cells, 24.0, None) is cells
