"""Cells as their own teachers: what a specimen's totals say of each of its cells.

Once shares come out right on the whole, the totals of a specimen say more than its mean: of two
hundred cells that may be basophils, a donor with 35 % of them has most. Each cell is given to the
classes so that its specimen's totals hold (:mod:`models.assign`), and the network learns these
assignments cell by cell, under other looks than it was asked; a few rounds of both.

Rare classes are drawn more often than they occur, purified cells stand in where mixed specimens
have few of a class, and the posterior is taken under the prior of exactly this draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from models.assign import assign
from models.augment import apply_look, draw_look, to_contrast
from models.device import mixed_precision
from models.fit import Fit, Schedule
from models.job import Job
from models.shelf import Shelf

_LOOKS, _ASK = 8, 256
# How many purified cells of a class count beside the mixed specimens' own, whose look they lack.
_PURIFIED_CELLS = 60.0
_RATE = 0.5


@dataclass
class Pool:
    """Cells of all specimens with what they are taken for.

    Parameters
    ----------
    pictures
        (N, V, 32, 32) uint8.
    classes
        (N, K + 1) float32 to which classes each cell was given.
    weight
        (N,) how often each is drawn, adding to 1.
    prior
        (K + 1,) of such a draw.
    """

    pictures: torch.Tensor
    classes: torch.Tensor
    weight: torch.Tensor
    prior: torch.Tensor


def learn_cells(
    fit: Fit, mixed: Sequence[Shelf], purified: Sequence[Shelf], job: Job, *, seed: int
) -> None:
    """Rounds of assigning cells and learning the assignments; changes ``fit``."""
    settings = job.settings
    steps = settings.refine_rounds * settings.refine_steps
    if not steps:
        return
    generator = torch.Generator().manual_seed(seed)
    fit.network.load_state_dict(fit.average.state_dict())
    schedule = Schedule(fit, settings, _RATE, steps)
    for _ in range(settings.refine_rounds):
        pool = make_pool(fit, mixed, purified)
        for _ in range(settings.refine_steps):
            schedule.step(_loss(fit, pool, job, generator))
            job.tick()


def make_pool(fit: Fit, mixed: Sequence[Shelf], purified: Sequence[Shelf]) -> Pool:
    """Assign the cells of all specimens."""
    recovery = fit.log_recovery.detach().exp().cpu().numpy()
    shelves = [*mixed, *purified]
    found = [_assigned(fit, shelf, recovery) for shelf in shelves]
    own = np.concatenate([np.full(len(s), s.fraction is not None) for s in shelves])
    classes = np.concatenate(found)
    weight = _weights(classes, own)
    prior = weight @ classes
    device = fit.prior.device
    return Pool(
        torch.cat([s.pictures for s in shelves]),
        torch.from_numpy(classes).float().to(device),
        torch.from_numpy(weight).float(),
        torch.from_numpy(np.maximum(prior, 1e-6)).float().to(device),
    )


def _assigned(fit: Fit, shelf: Shelf, recovery: np.ndarray) -> np.ndarray:
    posterior = _ask(fit, shelf.pictures)
    if shelf.holds is not None and float(shelf.holds[-1]) > 0.5:
        return np.tile(shelf.holds.numpy(), (len(shelf), 1))
    if shelf.holds is not None:
        # A purified specimen's purity, freely shared among the rest.
        joint = posterior / fit.prior.cpu().numpy() * shelf.holds.numpy()
        return joint / joint.sum(1, keepdims=True)
    assert shelf.fraction is not None and shelf.known is not None
    target = shelf.fraction.cpu().numpy().astype(float) * recovery
    known = shelf.known.cpu().numpy()
    if known.all():
        target = target / target.sum()
    return assign(posterior, np.where(known, target, np.nan), relative=shelf.relative)


def _weights(classes: np.ndarray, own: np.ndarray) -> np.ndarray:
    """How often each cell is drawn, (N,).

    Classes by the square root of how many cells they have; of those, purified cells as if they
    were at most so many.
    """
    mixed, pure = classes[own].sum(0), classes[~own].sum(0)
    shrink = np.minimum(1.0, _PURIFIED_CELLS / np.maximum(pure, 1.0))
    total = mixed + pure * shrink
    often = 1 / np.sqrt(np.maximum(total, 20.0))
    weight = classes @ often
    weight[~own] *= classes[~own] @ shrink
    return np.asarray(weight / weight.sum())


def _ask(fit: Fit, pictures: torch.Tensor) -> np.ndarray:
    """Posterior (n, K + 1) of each cell, its views taken together."""
    parts = []
    with torch.inference_mode(), mixed_precision(fit.prior.device):
        for start in range(0, len(pictures), _ASK):
            part = to_contrast(pictures[start : start + _ASK, :2])
            flat = part.reshape(-1, 1, *part.shape[2:])
            told = fit.average(flat.contiguous(memory_format=torch.channels_last)).float()
            mean = told.reshape(len(part), part.shape[1], -1).mean(1)
            parts.append((mean + fit.prior.log()).softmax(1))
    return torch.cat(parts).double().cpu().numpy()


def _loss(fit: Fit, pool: Pool, job: Job, generator: torch.Generator) -> torch.Tensor:
    cells = job.settings.refine_cells
    drawn = torch.multinomial(pool.weight, cells, replacement=True, generator=generator)
    view = torch.randint(pool.pictures.shape[1], (cells,), generator=generator)
    contrast = to_contrast(pool.pictures[drawn, view].unsqueeze(1))
    shown = [
        apply_look(part, draw_look(generator, job.spread), generator)
        for part in contrast.chunk(_LOOKS)
    ]
    pictures = torch.cat(shown).contiguous(memory_format=torch.channels_last)
    with mixed_precision(fit.prior.device):
        logits = fit.network(pictures).float()
    return functional.cross_entropy(logits + pool.prior.log(), pool.classes[drawn])
