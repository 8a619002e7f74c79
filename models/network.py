"""The network: small, because studies are small and processors are slow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import nn

INPUT_SIDE = 48
# Prior of artefacts where no blank shows any.
NO_ARTEFACTS = 1e-9
# Evidence for artefacts where there were none to learn from; a half-precision number holds it.
_NEVER = -1e4


def knows_artefacts(prior: Sequence[float] | np.ndarray | torch.Tensor) -> bool:
    """Whether a prior (K + 1,), artefacts last, is of specimens that show any."""
    return float(prior[-1]) > 10 * NO_ARTEFACTS


class CellNetwork(nn.Module):
    """Evidence for each class from one picture of a cell.

    Five convolutions with GroupNorm (batch norm over a bag would tell the composition of the bag
    to every cell in it). The outputs are log-likelihoods up to a constant: a prior is added by
    whoever asks, so that purified and mixed specimens can be learned from under one reference.

    Parameters
    ----------
    classes
        Number of cell classes; one more output stands for artefacts.
    width
        Channels of the first layer; the later ones have two and four times as many.
    artefacts
        Whether any were there to learn from. Where none were, nothing ties that output to anything,
        and it may rise above all others: so nothing speaks for artefacts.
    """

    def __init__(self, classes: int, width: int = 16, *, artefacts: bool = True) -> None:
        super().__init__()
        self.artefacts = artefacts
        self.body = nn.Sequential(
            *_block(1, width, 7, 3),
            *_block(width, 2 * width, 3, 2),
            *_block(2 * width, 2 * width, 3, 1),
            *_block(2 * width, 4 * width, 3, 2),
            *_block(4 * width, 4 * width, 3, 1),
        )
        self.head = nn.Linear(8 * width, classes + 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def embed(self, pictures: torch.Tensor) -> torch.Tensor:
        """(n, 1, 48, 48) float pictures → (n, 8 × width): mean and peak of the last maps."""
        maps = self.body(pictures)
        return torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], dim=1)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """(n, 1, 48, 48) → (n, classes + 1) log-likelihoods up to a constant."""
        told = cast(torch.Tensor, self.head(self.embed(pictures)))
        if self.artefacts:
            return told
        return torch.cat([told[:, :-1], torch.full_like(told[:, -1:], _NEVER)], dim=1)


def _block(inside: int, outside: int, kernel: int, stride: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(inside, outside, kernel, stride, kernel // 2, bias=False)
    return convolution, nn.GroupNorm(4, outside), nn.ReLU(inplace=True)
