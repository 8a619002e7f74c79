"""What cellcensus is compared with: learners that know less, and one that knows every class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional

from benchmarks.compose import ARTEFACT, Composed
from cellcensus.settings import CompositionSettings, TrainingSettings
from models.augment import Spread
from models.device import choose_device, threads
from models.fit import start_fit
from models.folds import split_donors
from models.heldout import conclude
from models.job import Job
from models.learnables import collect, fit_material_looks, make_prior, make_shelves
from models.model import Member, Model
from models.normalise import ClassLooks
from models.pictures import prepare
from models.schedule import Fit, Schedule
from models.shelf import Deck, Shelf, stack_pictures
from models.training import train

_SHELVES, _CELLS = 8, 24
Learner = Callable[[Composed, TrainingSettings], Model]


def cellcensus(study: Composed, settings: TrainingSettings) -> Model:
    """The whole method."""
    return train(study.training, study.classes, settings=settings)


def plain(study: Composed, settings: TrainingSettings) -> Model:
    """What one writes first: every cell of a purified specimen is of its class, shown as filmed.

    Turned, mirrored and shifted only: no donor's look is taken off, none is imitated. The other
    rivals that know purified specimens alone share cellcensus's normalisation and augmentation.
    """
    material = collect(
        [b for b in study.training if b.known.role != "mixed"], study.classes, settings
    )
    bare = Spread(scale=0.0, gain=0.0, gamma=0.0, blur=0.0, noise=0.0)
    job = Job(material, {}, settings, CompositionSettings(), choose_device(), lambda: None, bare)
    numbers = [*material.purified, *material.blank]
    centre = np.mean([material.means[i] for i in material.purified], axis=0)
    looks = ClassLooks(centre, np.zeros((len(study.classes), 2)), np.zeros(2))
    bags = [material.bags[i] for i in numbers]
    shelves = [
        Shelf(bag.specimen_id, bag.donor_id, prepare(bag.crops, centre, job.device)) for bag in bags
    ]
    number = {name: k for k, name in enumerate(study.classes)}
    labels = [
        torch.full((len(bag),), number.get(bag.known.cell_class or "", len(number))) for bag in bags
    ]
    prior = make_prior(material, [])
    with threads(settings.threads):
        fit = start_fit(len(study.classes), torch.from_numpy(prior).float(), settings, job.device)
        images = settings.warmup_steps * settings.purified_cells * len(shelves)
        _learn(fit, _Labelled(shelves, labels), job, images, 1.0)
        weights = {n: v.detach().clone() for n, v in fit.average.state_dict().items()}
        return conclude([Member(weights, prior, looks, np.zeros(len(study.classes)))], job)


def hard_labels(study: Composed, settings: TrainingSettings) -> Model:
    """Purified specimens alone, every cell of one taken for its class."""
    bags = [b for b in study.training if b.known.role != "mixed"]
    bags = [replace(b, known=replace(b.known, purity=0.999)) for b in bags]
    return train(bags, study.classes, settings=settings)


def purity_aware(study: Composed, settings: TrainingSettings) -> Model:
    """Purified specimens alone, with their purity."""
    bags = [b for b in study.training if b.known.role != "mixed"]
    return train(bags, study.classes, settings=settings)


def bags_only(study: Composed, settings: TrainingSettings) -> Model:
    """Mixed and blank specimens alone; four times the steps, since there is no warm-up."""
    bags = [b for b in study.training if b.known.role != "purified"]
    more = settings.model_copy(update={"bag_steps": 4 * settings.bag_steps})
    return train(bags, study.classes, settings=more)


def oracle(study: Composed, settings: TrainingSettings) -> Model:
    """The same networks in the same folds, told the class of every cell.

    Also the same number of pictures: a common warm-up on purified specimens, then each fold on the
    mixed ones; the same calibration by held-out donors after that.
    """
    material = collect(study.training, study.classes, settings)
    folds = split_donors(material.donor_shares(), settings.folds, settings.seed)
    job = Job(
        material, folds, settings, CompositionSettings(), choose_device(), lambda: None, Spread()
    )
    with threads(settings.threads):
        common = _oracle_warm(study, job)
        members = [_oracle_fold(study, job, common.copy(), fold) for fold in range(job.fold_count)]
        return conclude(members, job)


def _oracle_warm(study: Composed, job: Job) -> Fit:
    material, settings = job.material, job.settings
    looks = fit_material_looks(material, material.purified, [])
    numbers = [*material.purified, *material.blank]
    shelves = make_shelves(material, looks, numbers, job.device)
    prior = torch.from_numpy(make_prior(material, [])).float()
    fit = start_fit(len(study.classes), prior, settings, job.device)
    images = settings.warmup_steps * settings.purified_cells * len(shelves)
    _learn(fit, _told(study, shelves), job, images, 1.0)
    return fit


def _oracle_fold(study: Composed, job: Job, fit: Fit, fold: int) -> Member:
    material, settings = job.material, job.settings
    mixed = job.outside(fold)
    looks = fit_material_looks(material, material.purified, mixed)
    shelves = make_shelves(material, looks, [*mixed, *material.blank], job.device)
    prior = make_prior(material, mixed)
    fit.prior = torch.from_numpy(prior).float().to(job.device)
    images = settings.bag_steps * settings.bag_cells * settings.bags_per_step
    _learn(fit, _told(study, shelves), job, images, 0.7)
    weights = {n: v.detach().clone() for n, v in fit.average.state_dict().items()}
    return Member(weights, prior, looks, fit.log_recovery.detach().numpy().astype(float))


@dataclass(frozen=True)
class _Labelled:
    """Specimens with the class of every cell, K for an artefact."""

    shelves: Sequence[Shelf]
    labels: Sequence[torch.Tensor]


def _told(study: Composed, shelves: Sequence[Shelf]) -> _Labelled:
    """Shelves with the truth of the study."""
    found = [torch.from_numpy(study.truth[s.specimen_id]) for s in shelves]
    artefact = len(study.classes)
    return _Labelled(shelves, [torch.where(part == ARTEFACT, artefact, part) for part in found])


def _learn(fit: Fit, known: _Labelled, job: Job, images: int, first: float) -> None:
    """Cross-entropy under the reference prior, in small steps: labels allow that, bags do not."""
    generator = torch.Generator().manual_seed(job.settings.seed)
    drawn_at_once = min(_SHELVES, len(known.shelves))
    order = Deck(len(known.shelves), generator)
    decks = [Deck(len(shelf), generator) for shelf in known.shelves]
    steps = max(1, images // (drawn_at_once * _CELLS))
    schedule = Schedule(fit, job.settings, first, steps)
    for _ in range(steps):
        drawn = order.deal(drawn_at_once).tolist()
        hands = [decks[i].deal(_CELLS) for i in drawn]
        shelves = [known.shelves[i] for i in drawn]
        pictures = stack_pictures(shelves, hands, generator, job.spread)
        wanted = torch.cat([known.labels[i][hand] for i, hand in zip(drawn, hands, strict=True)])
        schedule.step(functional.cross_entropy(fit.network(pictures) + fit.prior.log(), wanted))
    fit.network.load_state_dict(fit.average.state_dict())


LEARNERS: dict[str, Learner] = {
    "plain classifier": plain,
    "purified, hard labels": hard_labels,
    "purified, purity-aware": purity_aware,
    "bags only": bags_only,
    "cellcensus": cellcensus,
    "oracle": oracle,
}
