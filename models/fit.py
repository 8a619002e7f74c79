"""Training of one network: purified warm-up, then bag proportions of mixed specimens."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import compress

import torch

from cellcensus.settings import TrainingSettings
from models.augment import Spread
from models.course import Stage
from models.device import mixed_precision
from models.job import Job
from models.losses import (
    plausible_loss,
    proportion_loss,
    purity_loss,
    specimen_fractions,
)
from models.network import CellNetwork, knows_artefacts
from models.schedule import Fit, Schedule
from models.shelf import Deck, Shelf, stack_pictures
from models.team import ALONE, Team

RECOVERY_SD = 0.15
# Dirt looks the same in blanks and in blood, and its share in blood is free: only blanks keep the
# network from calling dirt whatever makes the totals come out.
_BLANK_WEIGHT = 0.5
_UNTOLD_WEIGHT = 0.3
# What one mini-bag says of a specimen stands for this many independent cells in the recovery's
# prior; with every cell counted the prior would be worth nothing.
_CELLS_PER_SPECIMEN = 200


def start_fit(
    classes: int, prior: torch.Tensor, settings: TrainingSettings, device: torch.device
) -> Fit:
    """A network at its beginning; ``prior`` (K + 1,) is the reference prior, artefacts last."""
    torch.manual_seed(settings.seed)
    network = CellNetwork(classes, settings.width, artefacts=knows_artefacts(prior))
    network.to(device).to(memory_format=torch.channels_last)
    recovery = torch.nn.Parameter(torch.zeros(classes, device=device))
    return Fit(network, copy.deepcopy(network), recovery, prior.to(device))


class PurifiedDraw:
    """Mini-batches of purified and blank specimens, the same number of cells of each.

    Parameters
    ----------
    cells
        Of each specimen, or all it has.
    weights
        Of purified and of blank specimens in the loss.
    """

    def __init__(
        self,
        shelves: Sequence[Shelf],
        cells: int,
        generator: torch.Generator,
        team: Team = ALONE,
        weights: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        self.shelves, self.cells, self.generator = list(shelves), cells, generator
        self.own = team.own(len(shelves))
        self.decks = [Deck(len(shelf), generator) for shelf in shelves]
        holds = torch.stack([s.holds for s in shelves if s.holds is not None])
        sizes = torch.tensor([min(cells, len(shelf)) for shelf in shelves], device=holds.device)
        share = sizes / sizes.sum()
        self.prior = (share[:, None] * holds).sum(0).clamp_min(1e-9)
        mine = torch.repeat_interleave(torch.arange(len(sizes), device=holds.device), sizes)
        mine = mine[torch.tensor(self.own, device=holds.device)[mine]]
        self.share, self.holds = share[mine], holds[mine]
        self.weight = torch.where(self.holds[:, -1] > 0.5, weights[1], weights[0]) / sizes.sum()

    def draw(self, spread: Spread) -> torch.Tensor:
        """Pictures of own specimens, (m, 1, 48, 48)."""
        hands = [deck.deal(self.cells) for deck in self.decks]
        return stack_pictures(self.shelves, hands, self.generator, spread, self.own)

    def loss(self, logits: torch.Tensor) -> torch.Tensor:
        """Own part of the purity loss of such a mini-batch; ``logits`` (m, K + 1)."""
        return (self.weight * purity_loss(logits, self.share, self.holds, self.prior)).sum()


def warm_up(
    fit: Fit,
    purified: Sequence[Shelf],
    job: Job,
    left_out: Sequence[Shelf] = (),
) -> None:
    """Learn from purified and blank specimens alone; changes ``fit``.

    ``left_out`` are only looked at, for the course of the training.
    """
    settings = job.settings
    generator = torch.Generator().manual_seed(settings.seed)
    draw = PurifiedDraw(purified, settings.purified_cells, generator, job.team)
    schedule = Schedule(fit, settings, 1.0, int(settings.warmup_steps * 1.5), job.team)
    for step in range(settings.warmup_steps):
        pictures = draw.draw(job.spread)
        with mixed_precision(fit.prior.device):
            logits = fit.network(pictures).float()
        schedule.step(draw.loss(logits))
        _note(job, fit, "purified", (step + 1, settings.warmup_steps), left_out)
    fit.network.load_state_dict(fit.average.state_dict())


def learn_bags(
    fit: Fit,
    mixed: Sequence[Shelf],
    purified: Sequence[Shelf],
    job: Job,
    *,
    seed: int,
    left_out: Sequence[Shelf] = (),
) -> None:
    """Move the network to the domain that counts: mixed blood; changes ``fit``.

    ``left_out`` are only looked at, for the course of the training.
    """
    settings, spread = job.settings, job.spread
    generator = torch.Generator().manual_seed(seed)
    few = max(8, settings.purified_cells // 5)
    weights = (settings.purified_weight, _BLANK_WEIGHT)
    draw = PurifiedDraw(purified, few, generator, job.team, weights) if purified else None
    bags = _BagDraw(mixed, settings, generator)
    schedule = Schedule(fit, settings, 0.7, settings.bag_steps, job.team)
    for step in range(settings.bag_steps):
        chosen, hands = bags.deal()
        pictures = stack_pictures(chosen, hands, generator, spread, job.team.own(len(chosen)))
        count = 0
        if draw:
            extra = draw.draw(spread)
            count, pictures = len(extra), torch.cat([extra, pictures])
        with mixed_precision(fit.prior.device):
            logits = fit.network(pictures).float()
        sizes = [len(hand) for hand in hands]
        loss = bag_loss(fit, chosen, sizes, logits[count:], len(mixed), team=job.team)
        if draw:
            loss = loss + draw.loss(logits[:count])
        schedule.step(loss)
        _note(job, fit, "mixed", (step + 1, settings.bag_steps), left_out)


def _note(
    job: Job, fit: Fit, stage: Stage, step: tuple[int, int], left_out: Sequence[Shelf]
) -> None:
    """Tell progress and course of a step that was done."""
    job.course.after(step, stage, (fit.average, fit.prior, fit.log_recovery), left_out)
    job.tick()


class _BagDraw:
    """Mini-bags: some specimens a step, some cells of each."""

    def __init__(
        self, mixed: Sequence[Shelf], settings: TrainingSettings, generator: torch.Generator
    ) -> None:
        self.mixed, self.cells = list(mixed), settings.bag_cells
        self.number = min(settings.bags_per_step, len(mixed))
        self.order = Deck(len(mixed), generator)
        self.decks = [Deck(len(shelf), generator) for shelf in mixed]

    def deal(self) -> tuple[list[Shelf], list[torch.Tensor]]:
        chosen = self.order.deal(self.number).tolist()
        return [self.mixed[i] for i in chosen], [self.decks[i].deal(self.cells) for i in chosen]


def bag_loss(
    fit: Fit,
    chosen: Sequence[Shelf],
    sizes: Sequence[int],
    logits: torch.Tensor,
    specimens: int,
    *,
    team: Team = ALONE,
) -> torch.Tensor:
    """Own part of the bag-proportion loss of some mini-bags with the prior on recoveries.

    Parameters
    ----------
    sizes
        Cells of each mini-bag.
    logits
        (n, K + 1) of the cells of this process's own mini-bags, in their order.
    specimens
        How many mixed specimens the recovery is learned from: its prior is counted once.
    """
    penalty = 0.5 * (fit.log_recovery / RECOVERY_SD).square().sum()
    penalty = penalty / (specimens * _CELLS_PER_SPECIMEN * team.size)
    own, step = team.own(len(chosen)), len(chosen)
    chosen, sizes = list(compress(chosen, own)), list(compress(sizes, own))
    if not chosen:
        return penalty
    posterior = (logits + fit.prior.log()).softmax(1)
    means = torch.stack([part.mean(0) for part in posterior.split(list(sizes))])
    fractions = specimen_fractions(means, fit.log_recovery)
    target = torch.stack([s.fraction for s in chosen if s.fraction is not None])
    known = torch.stack([s.known for s in chosen if s.known is not None])
    sd = torch.stack([s.sd for s in chosen if s.sd is not None])
    relative = torch.tensor([s.relative for s in chosen], device=logits.device)[:, None]
    among = fractions / (fractions * known).sum(1, keepdim=True).clamp_min(1e-6)
    fractions = torch.where(relative, among.clamp(0, 1), fractions)
    effective = (target * (1 - target)).clamp_min(1e-4) / sd.square()
    size = torch.tensor(sizes, device=logits.device)[:, None]
    loss = proportion_loss(fractions, target, known, effective / (effective + size))
    loss = loss + _untold_loss(fractions, chosen, known)
    return loss * (len(chosen) / step) + penalty


def _untold_loss(
    fractions: torch.Tensor, chosen: Sequence[Shelf], known: torch.Tensor
) -> torch.Tensor | float:
    """What keeps classes that nobody told from taking each other's place; 0 where all are told.

    On the mean of the donors, each of whom may be as unusual as they like.
    """
    untold = ~known.any(0)
    whole = [i for i, shelf in enumerate(chosen) if not shelf.relative]
    if not whole or not bool(untold.any()):
        return 0.0
    expected = torch.stack([s.expected for s in chosen if s.expected is not None])
    shown = fractions[whole].mean(0)[untold]
    return _UNTOLD_WEIGHT * plausible_loss(shown, expected[whole].mean(0)[untold])
