"""Methods of composition, calibrated on specimens whose donors no network saw.

Twice: for each fold from the other folds alone, which judges the methods, and once from all, which
serves specimens to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.composition import (
    METHODS,
    Calibration,
    all_methods,
    fit_matrix,
    fit_scaling,
    posterior_mean,
    with_consensus,
)
from models.embedded import Teachers, blood_holds, embed, gather_teachers, pure_rows
from models.evidence import Evidence
from models.job import Job
from models.model import Member
from models.planner import Lessons
from models.recovery import fit_class_recovery
from models.sway import sway

_FEWEST_FOR_MATRIX, _FEWEST_FOR_SCALING, _FEWEST_FOR_RECOVERY = 6, 6, 4
# The map finds recoveries by itself, and class means are learned from what was seen.
_RECOVERED = ("counting", "mean", "emq")


@dataclass
class HeldOut:
    """All mixed specimens as the networks without their donors see them, row by row.

    Parameters
    ----------
    rows
        Number of the bag of each row.
    fold
        (B,) its fold.
    evidence, cells
        What its fold's network says, and how many leukocytes that makes.
    known, known_sd
        (B, K) the analyser's shares and their standard deviation, NaN where not known.
    ratio
        (B,) log of found ÷ analyser total concentration, NaN where not known.
    features
        (B, D) mean feature of its cells, for the kernel mean embedding.
    found, sways
        Of each method (B, K), by a calibration of the other folds: shares, and how far each could
        be swayed.
    """

    rows: list[int]
    fold: np.ndarray
    evidence: list[Evidence]
    cells: np.ndarray
    known: np.ndarray
    known_sd: np.ndarray
    ratio: np.ndarray
    features: np.ndarray
    found: dict[str, np.ndarray]
    sways: dict[str, np.ndarray]


@dataclass(frozen=True)
class Calibrated:
    """Calibrations of the folds, of all, and what the embedding learned from."""

    by_fold: list[Calibration]
    whole: Calibration
    lessons: Lessons | None


def calibrate(held: HeldOut, members: Sequence[Member], job: Job, prior: np.ndarray) -> Calibrated:
    """Calibrate for the folds and for all; fills in ``held.found`` and ``held.sways``."""
    teachers = gather_teachers(job, held.evidence)
    if teachers is not None:
        seen = [teachers.lens.mean(e.shapes, e.effect) for e in held.evidence]
        held.features = np.array(seen).reshape(-1, len(teachers.lens.phase))
    by_fold = [
        _fit(held, held.fold != fold, prior, member, (teachers, job, fold))
        for fold, member in enumerate(members)
    ]
    raw = _found(held, by_fold, prior)
    average = replace(members[0], log_recovery=np.mean([m.log_recovery for m in members], axis=0))
    everyone = np.ones(len(held.rows), bool)
    whole = _fit(held, everyone, prior, average, (teachers, job, -1))
    by_fold = [_recover(c, raw, held, held.fold != f) for f, c in enumerate(by_fold)]
    for row, fold in enumerate(held.fold):
        mine = {name: values[row] for name, values in raw.items()}
        for name, share in with_consensus(mine, by_fold[fold].recoveries).items():
            held.found[name][row] = share
            logits = held.evidence[row].logits
            held.sways[name][row] = sway(logits, prior, by_fold[fold], share)
    lessons = _lessons(held, teachers, average, job, prior) if teachers and held.rows else None
    return Calibrated(by_fold, _recover(whole, raw, held, everyone), lessons)


def _lessons(
    held: HeldOut, teachers: Teachers, member: Member, job: Job, prior: np.ndarray
) -> Lessons:
    usable = np.nonzero(np.isfinite(held.known).all(axis=1))[0]
    holds = [blood_holds(held.evidence[i], prior, held.known[i]) for i in usable]
    names = [job.material.donor(held.rows[i]) for i in usable]
    pure = pure_rows(teachers, member, job, -1)
    return Lessons(
        teachers.lens,
        held.features[usable],
        np.array(holds).reshape(-1, len(prior)),
        held.known[usable],
        np.unique(names, return_inverse=True)[1] if names else np.zeros(0, int),
        pure.features,
        pure.holds,
        pure.weights,
    )


def _found(
    held: HeldOut, by_fold: Sequence[Calibration], prior: np.ndarray
) -> dict[str, np.ndarray]:
    """Each method but the consensus, (B, K), by the calibration of the other folds."""
    raw: dict[str, np.ndarray] = {}
    for row, fold in enumerate(held.fold):
        logits, features = held.evidence[row].logits, held.features[row]
        found = all_methods(logits, prior, by_fold[fold], features)
        for name in METHODS[:-1]:
            if name in found:
                raw.setdefault(name, np.full(held.known.shape, np.nan))[row] = found[name]
    return raw


def _recover(
    calibration: Calibration, raw: dict[str, np.ndarray], held: HeldOut, rows: np.ndarray
) -> Calibration:
    """The recoveries that held-out errors of some rows still show."""
    usable = rows & np.isfinite(held.known).all(axis=1)
    if usable.sum() < _FEWEST_FOR_RECOVERY:
        return calibration
    fits = {name: fit_class_recovery(raw[name][usable], held.known[usable]) for name in _RECOVERED}
    return replace(
        calibration,
        recoveries={name: recovery for name, (recovery, _sd) in fits.items()},
        recovery_sd=fits["counting"][1],
    )


def _fit(
    held: HeldOut,
    rows: np.ndarray,
    prior: np.ndarray,
    member: Member,
    beside: tuple[Teachers | None, Job, int],
) -> Calibration:
    """Calibrate the methods on some rows whose differential is complete."""
    k, recovery = len(prior) - 1, np.exp(member.log_recovery)
    usable = np.nonzero(rows & np.isfinite(held.known).all(axis=1))[0]
    logits = [held.evidence[i].logits for i in usable]
    matrix, temperature, bias = np.diag(1 / recovery), 1.0, np.zeros(k + 1)
    if len(usable) >= _FEWEST_FOR_MATRIX:
        means = np.array([posterior_mean(part, prior) for part in logits])
        matrix = fit_matrix(means, held.known[usable], np.ones(len(usable)))
    if len(usable) >= _FEWEST_FOR_SCALING:
        flat = [part.mean(0) for part in logits]
        temperature, bias = fit_scaling(flat, held.known[usable], prior, recovery)
    plain = Calibration(matrix, temperature, bias, recovery, METHODS[0], {})
    teachers, job, fold = beside
    if teachers is None:
        return plain
    holds = [blood_holds(held.evidence[i], prior, held.known[i]) for i in usable]
    mixed = held.features[usable], np.array(holds).reshape(-1, k + 1)
    return replace(plain, embedding=embed(teachers, member, job, mixed, fold))
