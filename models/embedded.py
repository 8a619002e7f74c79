"""Which specimens teach the kernel mean embedding, and what each of them holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from models.embedding import Embedding, Lens, fit_embedding, make_lens
from models.evidence import Evidence
from models.job import Job
from models.learnables import dirt_share
from models.model import Member
from models.normalise import donor_effect
from models.shapes import measure_shapes

# A purified cell looks treated; it counts less than one in blood.
_PURIFIED, _LENS_CELLS = 0.3, 200


@dataclass(frozen=True)
class Teachers:
    """Specimens that teach the embedding beside the mixed ones.

    Parameters
    ----------
    lens
        Made from these specimens alone, so that no mixed donor has a say in it.
    numbers
        Numbers of the bags, purified and blank.
    shapes
        Plain features of each one's cells.
    """

    lens: Lens
    numbers: list[int]
    shapes: list[np.ndarray]


def gather_teachers(job: Job, evidence: Sequence[Evidence]) -> Teachers | None:
    """Purified and blank specimens; without purified ones the lens is made from mixed ones."""
    material = job.material
    numbers = [*material.purified, *material.blank]
    shapes = [measure_shapes(material.bags[i].crops) for i in numbers]
    shown = shapes[: len(material.purified)] or [found.shapes for found in evidence]
    shown = [part[:_LENS_CELLS] for part in shown if len(part)]
    return Teachers(make_lens(np.concatenate(shown)), numbers, shapes) if shown else None


@dataclass(frozen=True)
class Rows:
    """Specimens as the embedding learns from them: (B, D), (B, K + 1) and (B,)."""

    features: np.ndarray
    holds: np.ndarray
    weights: np.ndarray


def pure_rows(teachers: Teachers, member: Member, job: Job, fold: int) -> Rows:
    """Purified and blank specimens, without those of a fold's donors (−1: all)."""
    material, k = job.material, len(job.material.classes)
    pure = material.purified if fold < 0 else job.purified_outside(fold)
    features, holds, weights = [], [], []
    for i, shapes in zip(teachers.numbers, teachers.shapes, strict=True):
        if i in material.blank and len(shapes):
            effect, held = np.zeros(2), np.append(np.zeros(k), 1.0)
        elif i in pure:
            held = np.append(material.holds[i] * (1 - dirt_share(material)), dirt_share(material))
            effect = donor_effect(member.looks, material.means[i], material.holds[i], certain=True)
        else:
            continue
        features.append(teachers.lens.mean(shapes, effect))
        holds.append(held)
        weights.append(1.0 if i in material.blank else _PURIFIED)
    width = len(teachers.lens.phase)
    return Rows(
        np.array(features).reshape(-1, width), np.array(holds).reshape(-1, k + 1), np.array(weights)
    )


def embed(
    teachers: Teachers, member: Member, job: Job, mixed: tuple[np.ndarray, np.ndarray], fold: int
) -> Embedding | None:
    """Fit class means without what a fold's donors gave (−1: with all).

    Parameters
    ----------
    mixed
        (B, D) mean features of mixed specimens and (B, K + 1) what they hold.
    """
    pure = pure_rows(teachers, member, job, fold)
    features = np.concatenate([mixed[0], pure.features])
    if not len(features):
        return None
    holds = np.concatenate([mixed[1], pure.holds])
    return fit_embedding(
        teachers.lens, features, holds, np.append(np.ones(len(mixed[0])), pure.weights)
    )


def blood_holds(evidence: Evidence, prior: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """What a mixed specimen holds, (K + 1,): the analyser's shares beside the network's dirt."""
    dirt = float(softmax(evidence.logits + np.log(prior), axis=-1).mean((0, 1))[-1])
    return np.append(shares * (1 - dirt), dirt)
