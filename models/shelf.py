"""What training holds in memory of each specimen, and how it draws mini-bags from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from models.augment import Spread, apply_look, draw_look, to_contrast


@dataclass
class Shelf:
    """One specimen, ready to be drawn from.

    Parameters
    ----------
    specimen_id, donor_id
        Which specimen.
    pictures
        (n, V, 48, 48) uint8 on the device.
    holds
        (K + 1,) what a purified or blank specimen holds; ``None`` for a mixed one.
    fraction, known, sd
        (K,) analyser shares of a mixed specimen; ``None`` for a purified one. Shares among the
        known classes only if ``relative``.
    """

    specimen_id: str
    donor_id: str
    pictures: torch.Tensor
    holds: torch.Tensor | None = None
    fraction: torch.Tensor | None = None
    known: torch.Tensor | None = None
    sd: torch.Tensor | None = None
    relative: bool = False

    def __len__(self) -> int:
        """How many cells."""
        return len(self.pictures)


class Deck:
    """Deals numbers 0 … n − 1 in random order, each once before any comes again."""

    def __init__(self, size: int, generator: torch.Generator) -> None:
        self.size, self.generator = size, generator
        self.left = torch.empty(0, dtype=torch.long)

    def deal(self, number: int) -> torch.Tensor:
        """The next ``number`` (at most all) of the deck; no number twice in one deal."""
        number = min(number, self.size)
        if len(self.left) < number:
            fresh = torch.randperm(self.size, generator=self.generator)
            # What was left comes first, so that rare cells are never starved by a small remainder.
            keep = ~torch.isin(fresh, self.left)
            self.left = torch.cat([self.left, fresh[keep], fresh[~keep]])
        hand, self.left = self.left[:number], self.left[number:]
        return hand


def draw_pictures(
    shelf: Shelf, cells: torch.Tensor, generator: torch.Generator, spread: Spread
) -> torch.Tensor:
    """Pictures of some cells, a random view of each, under one random look; (m, 1, 32, 32)."""
    views = shelf.pictures.shape[1]
    view = torch.randint(views, (len(cells),), generator=generator)
    chosen = shelf.pictures[cells, view].unsqueeze(1)
    return apply_look(to_contrast(chosen), draw_look(generator, spread), generator)


def stack_pictures(
    shelves: Sequence[Shelf],
    cells: Sequence[torch.Tensor],
    generator: torch.Generator,
    spread: Spread,
) -> torch.Tensor:
    """Pictures of several mini-bags, each under its own look, one after the other."""
    parts = [
        draw_pictures(shelf, hand, generator, spread)
        for shelf, hand in zip(shelves, cells, strict=True)
    ]
    return torch.cat(parts).contiguous(memory_format=torch.channels_last)
