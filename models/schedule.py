"""How a network goes down the slope of its loss, and the running mean of its weights.

The weights are laid out as one vector of which each stays a view, and so are their gradients and
the running mean: a step over eighteen small tensors costs several times as much as one over all
their numbers.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from cellcensus.settings import TrainingSettings
from models.network import CellNetwork
from models.team import ALONE, Team

_RISE, _AVERAGE, _CLIP = 15, 0.98, 1.0


@dataclass
class Fit:
    """A network in training.

    Parameters
    ----------
    network
        The weights that are being changed; ``average`` is their running mean, which is what
        counts in the end.
    log_recovery
        (K,) how much more of each class is seen than is in the blood.
    """

    network: CellNetwork
    average: CellNetwork
    log_recovery: nn.Parameter
    prior: torch.Tensor

    def copy(self) -> Fit:
        """An independent copy: the folds go on from one common warm-up."""
        return copy.deepcopy(self)


class Schedule:
    """Optimiser with a short rise, a cosine to zero, and a running mean of the weights."""

    def __init__(
        self, fit: Fit, settings: TrainingSettings, first: float, steps: int, team: Team = ALONE
    ) -> None:
        self.fit, self.steps, self.done, self.team = fit, steps, 0, team
        self.top = settings.learning_rate * first
        self.weights = nn.Parameter(lay_out(fit.network.parameters()))
        self.slope = torch.zeros_like(self.weights)
        self.weights.grad = self.slope
        for weight, part in _parts(fit.network.parameters(), self.slope):
            weight.grad = part
        self.mean = lay_out(fit.average.parameters())
        groups = [
            {"params": [self.weights], "weight_decay": 0.01},
            {"params": [fit.log_recovery], "weight_decay": 0.0},
        ]
        self.optimiser = torch.optim.AdamW(groups, lr=self.top, fused=True)

    def step(self, loss: torch.Tensor) -> None:
        """Go down the slope of ``loss`` once: of this process's part, with the whole team."""
        rise = min(1.0, (self.done + 1) / _RISE)
        rate = self.top * rise * 0.5 * (1 + math.cos(math.pi * self.done / self.steps))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        # Into the one vector: a gradient that is there is added to.
        self.slope.zero_()
        self.fit.log_recovery.grad = None
        loss.backward()
        self.team.add_up(loss, [self.weights, self.fit.log_recovery])
        self.slope.mul_((_CLIP / (self.slope.norm() + 1e-6)).clamp_max_(1.0))
        self.optimiser.step()
        self.done += 1
        self._follow(min(_AVERAGE, self.done / (self.done + 9)))

    def _follow(self, keep: float) -> None:
        self.mean.lerp_(self.weights.detach(), 1 - keep)


def lay_out(weights: Iterable[nn.Parameter]) -> torch.Tensor:
    """Move weights into one new vector, (n,), each a view of its part from now on.

    Parameters
    ----------
    weights
        Dense, in whatever order of their axes.
    """
    held = list(weights)
    row = torch.cat([w.detach().as_strided((w.numel(),), (1,)) for w in held])
    for weight, part in _parts(held, row):
        weight.data = part
    return row


def _parts(
    weights: Iterable[nn.Parameter], row: torch.Tensor
) -> list[tuple[nn.Parameter, torch.Tensor]]:
    """Each weight with its part of a vector, laid out as the weight is."""
    held = list(weights)
    parts = row.split([weight.numel() for weight in held])
    return [(w, part.as_strided(w.shape, w.stride())) for w, part in zip(held, parts, strict=True)]
