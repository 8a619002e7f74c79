"""What training holds in memory of each specimen, and how it draws mini-bags from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch

from models.augment import Look, Spread, apply_looks, draw_grains, draw_looks

# Pictures that are shown at once.
_AT_ONCE = 128


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
    expected
        (K,) the same with classes that nobody told as in adult blood.
    """

    specimen_id: str
    donor_id: str
    pictures: torch.Tensor
    holds: torch.Tensor | None = None
    fraction: torch.Tensor | None = None
    known: torch.Tensor | None = None
    sd: torch.Tensor | None = None
    expected: torch.Tensor | None = None
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


def stack_pictures(
    shelves: Sequence[Shelf],
    cells: Sequence[torch.Tensor],
    generator: torch.Generator,
    spread: Spread,
    own: Sequence[bool] | None = None,
) -> torch.Tensor:
    """Pictures of several mini-bags, a random view of each cell, one mini-bag after the other.

    Parameters
    ----------
    shelves, cells
        Where from, and numbers of the cells of each mini-bag.
    generator, spread
        Of chance: one look a mini-bag.
    own
        Which mini-bags this process shows; all if not given. The chance that the others take is
        drawn all the same.

    Returns
    -------
    (n, 1, 48, 48) float contrast.
    """
    hands = _draw(shelves, cells, generator, spread)
    shown = [hand for hand, mine in zip(hands, own or [True] * len(hands), strict=True) if mine]
    if not shown:
        return torch.zeros((0, 1, *shelves[0].pictures.shape[2:]))
    parts = [_show(alike) for alike in _together(shown)]
    every = torch.cat(parts) if len(parts) > 1 else parts[0]
    return every.unsqueeze(1).contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class _Hand:
    """A mini-bag: where from, (n,) which of all its pictures, its look, the noise of each cell."""

    shelf: Shelf
    numbers: torch.Tensor
    look: Look
    grains: torch.Tensor


def _draw(
    shelves: Sequence[Shelf],
    cells: Sequence[torch.Tensor],
    generator: torch.Generator,
    spread: Spread,
) -> list[_Hand]:
    """Views, looks and noise of all mini-bags of a step."""
    sizes = [len(hand) for hand in cells]
    views = torch.tensor([shelf.pictures.shape[1] for shelf in shelves])
    views = views.repeat_interleave(torch.tensor(sizes))
    view = (torch.rand(len(views), generator=generator) * views).long()
    numbers = (torch.cat(list(cells)) * views + view).split(sizes)
    looks = draw_looks(len(shelves), generator, spread)
    grains = draw_grains(len(views), generator).split(sizes)
    each = zip(shelves, numbers, looks, grains, strict=True)
    return [_Hand(*one) for one in each]


def _together(hands: Sequence[_Hand]) -> Iterator[list[_Hand]]:
    """Mini-bags of one size that follow each other, not more than a processor's cache holds."""
    for size, same in groupby(hands, lambda hand: len(hand.numbers)):
        alike, step = list(same), max(1, _AT_ONCE // max(size, 1))
        yield from (alike[start : start + step] for start in range(0, len(alike), step))


def _show(hands: Sequence[_Hand]) -> torch.Tensor:
    """Pictures of mini-bags of one size under their looks, (n, 48, 48) float contrast."""
    side = hands[0].shelf.pictures.shape[-1]
    device = hands[0].shelf.pictures.device
    size = len(hands[0].numbers)
    pictures = torch.empty((len(hands), size, side, side), dtype=torch.uint8, device=device)
    for part, hand in zip(pictures, hands, strict=True):
        every = hand.shelf.pictures.flatten(0, 1)
        torch.index_select(every, 0, hand.numbers.to(device), out=part)
    grains = torch.cat([hand.grains for hand in hands])
    return apply_looks(pictures, [hand.look for hand in hands], grains).flatten(0, 1)
