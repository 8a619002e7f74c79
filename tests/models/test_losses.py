import pytest
import torch

from models.losses import plausible_loss, proportion_loss, purity_loss, specimen_fractions


def test_purity_loss_recovers_likelihoods_behind_impure_specimens():
    """Two kinds of cells, specimens of 80 % purity: the optimum tells cells apart fully."""
    holds = torch.tensor([[0.8, 0.2], [0.2, 0.8]])
    kinds = torch.tensor([0] * 80 + [1] * 20 + [0] * 20 + [1] * 80)
    origin = torch.tensor([0] * 100 + [1] * 100)
    table = torch.zeros(2, 2, requires_grad=True)
    optimiser = torch.optim.Adam([table], lr=0.2)
    share = torch.full((200,), 0.5)
    for _ in range(300):
        loss = purity_loss(table[kinds], share, holds[origin], torch.tensor([0.5, 0.5])).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert (table[kinds].softmax(1)[:, 0][kinds == 0] > 0.97).all()


def test_proportion_loss_is_least_at_the_known_shares():
    target = torch.tensor([[0.7, 0.2, 0.1]])
    found = target.clone().requires_grad_()
    known = torch.ones(1, 3, dtype=torch.bool)
    proportion_loss(found, target, known, torch.ones(1, 3)).backward()
    assert found.grad.abs().max() < 1e-5


def test_unknown_classes_do_not_pull():
    found = torch.tensor([[0.5, 0.3, 0.2]], requires_grad=True)
    known = torch.tensor([[True, False, False]])
    proportion_loss(found, torch.tensor([[0.9, 0.0, 0.0]]), known, torch.ones(1, 3)).backward()
    assert found.grad[0, 0] < 0
    assert found.grad[0, 1:].abs().max() < 1e-6


def test_artefacts_are_free_and_recovery_divided_out():
    mean = torch.tensor([[0.3, 0.3, 0.4]])
    assert specimen_fractions(mean, torch.zeros(2))[0].tolist() == pytest.approx([0.5, 0.5])
    shares = specimen_fractions(mean, torch.tensor([0.0, 2.0]).log1p())
    assert shares[0].tolist() == pytest.approx([0.75, 0.25])


def test_mean_shares_are_pulled_to_what_is_plausible_and_no_further():
    expected = torch.tensor([0.31, 0.08, 0.01])

    def slope(*shown):
        given = torch.tensor(shown, requires_grad=True)
        plausible_loss(given, expected).backward()
        return given.grad

    assert slope(0.31, 0.08, 0.01) == pytest.approx(0, abs=1e-4)
    assert slope(0.22, 0.14, 0.03) == pytest.approx(0, abs=1e-4)
    far = slope(0.02, 0.40, 0.10)
    assert far[0] < 0 < far[1]
    assert far[2] > 0
