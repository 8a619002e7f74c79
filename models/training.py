"""Bags → model: warm-up, donor folds, and what held-out donors teach about the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from cellcensus.progress import Progress, Silent
from cellcensus.settings import CompositionSettings, TrainingSettings
from models.augment import Spread
from models.bag import Bag
from models.card import write_card
from models.course import WATCHED_CELLS
from models.device import choose_device, threads
from models.fit import learn_bags, start_fit, warm_up
from models.folds import split_donors
from models.heldout import conclude
from models.job import Job
from models.learnables import collect, fit_material_looks, make_prior, make_shelves
from models.memory import within_memory
from models.model import Member, Model
from models.normalise import ClassLooks
from models.schedule import Fit
from models.shelf import Shelf
from models.team import present


def train(
    bags: Sequence[Bag],
    classes: Sequence[str],
    *,
    settings: TrainingSettings,
    composition: CompositionSettings | None = None,
    progress: Progress | None = None,
    spread: Spread | None = None,
) -> Model:
    """Learn a model from purified, blank and mixed specimens.

    Specimens with the roles ``unknown`` and ``control`` are left aside, pixels and all.

    Parameters
    ----------
    bags
        Specimens of one or more studies; donors are told apart by study and ``donor_id``.
    classes
        The reporting order.
    settings, composition
        How to train, and how held-out specimens are predicted.
    progress
        Told of every step.
    spread
        How widely looks are drawn in augmentation; ``None``: as donors differ.

    Returns
    -------
    The model; ``held_out`` has a prediction of every mixed specimen by a network that never saw
    its donor.

    Raises
    ------
    TrainingError
        Nothing to learn from: no purified specimens and too few mixed ones, or only one class.
    """
    progress = progress or Silent()
    job = _job(bags, classes, settings, composition or CompositionSettings(), progress)
    job = replace(job, spread=spread or job.spread)
    progress.start("training", _units(job))
    with threads(settings.threads), torch.random.fork_rng(enabled=True):
        with job.team.stepping(job.device):
            members, done = within_memory(_learn, job)
        model = conclude(members, done)
    progress.finish(f"{len(members)} networks")
    return write_card(model, done, asked=settings)


def train_beside(
    bags: Sequence[Bag], classes: Sequence[str], *, settings: TrainingSettings
) -> None:
    """Do one process's part of the steps of :func:`train`, which the first one calls.

    Raises
    ------
    FailedElsewhereError
        Another process failed or ended.
    """
    job = _job(bags, classes, settings, CompositionSettings(), Silent())
    with (
        threads(settings.threads),
        torch.random.fork_rng(enabled=True),
        job.team.stepping(job.device),
    ):
        within_memory(_learn, job)


def _job(
    bags: Sequence[Bag],
    classes: Sequence[str],
    settings: TrainingSettings,
    composition: CompositionSettings,
    progress: Progress,
) -> Job:
    material = collect(bags, tuple(classes), settings)
    return Job(
        material=material,
        folds=split_donors(material.donor_shares(), settings.folds, settings.seed),
        settings=settings,
        composition=composition,
        device=choose_device(),
        tick=progress.advance,
        spread=Spread(),
        team=present(),
    )


def _units(job: Job) -> float:
    warm_ups = job.fold_count if job.shares_donors() else 1
    steps = job.settings.warmup_steps * bool(job.material.purified) * warm_ups
    return steps + job.settings.bag_steps * job.fold_count + len(job.material.mixed) + 1


def _learn(job: Job) -> list[Member]:
    job.course.begin()
    if job.fold_count == 0:
        return [_alone(job)]
    # One warm-up serves all folds, unless a donor gave purified cells too: a fold's network must
    # not have seen any cell of that fold's donors.
    material = job.material
    common = None if job.shares_donors() else _warm(job, material.purified, material.mixed)
    members = []
    for fold in range(job.fold_count):
        purified = job.purified_outside(fold)
        fit = common.copy() if common else _warm(job, purified, job.inside(fold))
        members.append(_learn_fold(fit, job, purified, job.outside(fold), fold))
    return members


def _warm(job: Job, purified: Sequence[int], left_out: Sequence[int] = ()) -> Fit:
    """A network that learned from purified and blank specimens and saw no mixed one."""
    looks = fit_material_looks(job.material, purified, [])
    shelves = make_shelves(job.material, looks, [*purified, *job.material.blank], job.device)
    prior = torch.from_numpy(make_prior(job.material, [])).float()
    fit = start_fit(len(job.material.classes), prior, job.settings, job.device)
    if purified:
        warm_up(fit, shelves, job, _watched(job, looks, left_out))
    return fit


def _learn_fold(
    fit: Fit, job: Job, purified: Sequence[int], mixed: Sequence[int], fold: int
) -> Member:
    """One network, of all donors but those of its fold."""
    looks = fit_material_looks(job.material, purified, mixed)
    prior = make_prior(job.material, mixed)
    fit.prior = torch.from_numpy(prior).float().to(job.device)
    pure = make_shelves(job.material, looks, [*purified, *job.material.blank], job.device)
    blood = make_shelves(job.material, looks, mixed, job.device)
    if blood:  # with a single mixed donor, the fold without that donor has none
        seed, watched = job.settings.seed * 1000 + fold, _watched(job, looks, job.inside(fold))
        learn_bags(fit, blood, pure, job, seed=seed, left_out=watched)
    recovery = fit.log_recovery.detach().cpu().numpy().astype(float)
    return Member(_weights(fit), prior, looks, recovery)


def _watched(job: Job, looks: ClassLooks, left_out: Sequence[int]) -> list[Shelf]:
    """Some cells of specimens that are not learned from; one process of a team looks at them."""
    if job.team.rank:
        return []
    return make_shelves(job.material, looks, left_out, job.device, cells=WATCHED_CELLS)


def _alone(job: Job) -> Member:
    """Without mixed specimens there is only the warm-up; its card says so."""
    fit = _warm(job, job.material.purified)
    looks = fit_material_looks(job.material, job.material.purified, [])
    prior = make_prior(job.material, [])
    return Member(_weights(fit), prior, looks, np.zeros(len(job.material.classes)))


def _weights(fit: Fit) -> dict[str, torch.Tensor]:
    state = fit.average.state_dict()
    return {name: value.detach().cpu().contiguous() for name, value in state.items()}
