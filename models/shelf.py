"""What training holds in memory of each specimen, and how it draws mini-bags from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from models.augment import Look, Spread, apply_looks, draw_grains, draw_look, to_contrast

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
    drawn = [
        _draw(shelf, hand, generator, spread) for shelf, hand in zip(shelves, cells, strict=True)
    ]
    shown = [hand for hand, mine in zip(drawn, own or [True] * len(drawn), strict=True) if mine]
    if not shown:
        return torch.zeros((0, 1, *shelves[0].pictures.shape[2:]))
    parts: dict[int, torch.Tensor] = {}
    for alike in _together([len(hand.grains) for hand in shown]):
        pictures = to_contrast(torch.stack([shown[i].pictures for i in alike]))
        grains = torch.cat([shown[i].grains for i in alike])
        done = apply_looks(pictures, [shown[i].look for i in alike], grains)
        parts.update(zip(alike, done, strict=True))
    every = torch.cat([parts[i] for i in range(len(shown))]).unsqueeze(1)
    return every.contiguous(memory_format=torch.channels_last)


def _together(sizes: Sequence[int]) -> Iterator[list[int]]:
    """Numbers of mini-bags of the same size, not more at once than a processor's cache holds."""
    for size in dict.fromkeys(sizes):  # nearly always one
        alike = [i for i, other in enumerate(sizes) if other == size]
        step = max(1, _AT_ONCE // max(size, 1))
        yield from (alike[start : start + step] for start in range(0, len(alike), step))


@dataclass(frozen=True)
class _Hand:
    """(n, 48, 48) uint8 pictures of a mini-bag, its look, and (n,) the noise of each cell."""

    pictures: torch.Tensor
    look: Look
    grains: torch.Tensor


def _draw(shelf: Shelf, cells: torch.Tensor, generator: torch.Generator, spread: Spread) -> _Hand:
    views = shelf.pictures.shape[1]
    view = torch.randint(views, (len(cells),), generator=generator)
    look, grains = draw_look(generator, spread), draw_grains(len(cells), generator)
    numbers = (cells * views + view).to(shelf.pictures.device)
    return _Hand(torch.index_select(shelf.pictures.flatten(0, 1), 0, numbers), look, grains)
