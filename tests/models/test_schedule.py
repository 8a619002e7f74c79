import copy
import math

import pytest
import torch
from torch.nn import functional

from cellcensus.settings import TrainingSettings
from models.fit import start_fit
from models.schedule import Schedule, lay_out

PRIOR = torch.tensor([0.5, 0.3, 0.2])


@pytest.fixture
def fit():
    settings = TrainingSettings(width=4, learning_rate=0.01)
    begun = start_fit(2, PRIOR, settings, torch.device("cpu"))
    # Double precision: rounding would take the two ways apart after some dozen steps.
    begun.network.double()
    begun.average.double()
    begun.log_recovery = torch.nn.Parameter(begun.log_recovery.detach().double())
    return begun


def _loss(fit, step):
    generator = torch.Generator().manual_seed(step)
    pictures = torch.randn((8, 1, 48, 48), generator=generator).double()
    labels = torch.randint(3, (8,), generator=generator)
    loud = 20.0 if step % 3 == 0 else 0.2  # some slopes are clipped, some not
    loss = functional.cross_entropy(fit.network(pictures) + PRIOR.log(), labels)
    return loud * loss + fit.log_recovery.exp().sum()


def _step_by_torch(fit, optimiser, step, steps):
    for group in optimiser.param_groups:
        rise = min(1.0, (step + 1) / 15)
        group["lr"] = 0.01 * rise * 0.5 * (1 + math.cos(math.pi * step / steps))
    optimiser.zero_grad()
    _loss(fit, step).backward()
    torch.nn.utils.clip_grad_norm_(fit.network.parameters(), 1.0)
    optimiser.step()
    keep = min(0.98, (step + 1) / (step + 10))
    with torch.no_grad():
        for mean, now in zip(fit.average.parameters(), fit.network.parameters(), strict=True):
            mean.mul_(keep).add_(now, alpha=1 - keep)


def test_steps_are_those_of_clipped_adamw_and_a_running_mean(fit):
    other, steps = copy.deepcopy(fit), 20
    schedule = Schedule(fit, TrainingSettings(learning_rate=0.01), 1.0, steps)
    groups = [
        {"params": list(other.network.parameters()), "weight_decay": 0.01},
        {"params": [other.log_recovery], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups)
    for step in range(steps):
        schedule.step(_loss(fit, step))
        _step_by_torch(other, optimiser, step, steps)
    for ours, theirs in ((fit.network, other.network), (fit.average, other.average)):
        for one, two in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(one, two)
    torch.testing.assert_close(fit.log_recovery, other.log_recovery)
    assert not torch.equal(fit.average.head.weight, fit.network.head.weight)


def test_weights_in_one_vector_keep_their_layout_and_their_values(fit):
    network = fit.network.to(memory_format=torch.channels_last)
    before = [(w.detach().clone(), w.stride()) for w in network.parameters()]
    row = lay_out(network.parameters())
    assert row.numel() == sum(w.numel() for w in network.parameters())
    for weight, (values, stride) in zip(network.parameters(), before, strict=True):
        assert weight.equal(values)
        assert weight.stride() == stride
    row.zero_()
    assert all(float(w.abs().sum().detach()) == 0 for w in network.parameters())


def test_a_copy_goes_its_own_way(fit):
    Schedule(fit, TrainingSettings(), 1.0, 5)
    other = fit.copy()
    kept = [w.detach().clone() for w in fit.network.parameters()]
    schedule = Schedule(other, TrainingSettings(), 1.0, 5)
    schedule.step(_loss(other, 0))
    assert all(w.equal(v) for w, v in zip(fit.network.parameters(), kept, strict=True))
    assert not other.network.head.bias.equal(fit.network.head.bias)
