"""What held-out donors teach: calibration, the choice of a method, errors, recovery.

Every fold's specimens are predicted by the network that never saw them, with a calibration, a
method and an error estimate from the other folds only. At the end everything is fitted once more
on all of them, for specimens to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from models.calibrate import Calibrated, HeldOut, calibrate
from models.composition import METHODS, Calibration, choose_method
from models.drift import UsualLook, learn_look
from models.evidence import build_network, gather, leukocytes, measure_builds, most_probable
from models.examples import pick_examples
from models.intervals import fit_errors
from models.job import Job
from models.knowledge import stated_total
from models.learnables import Material, make_prior
from models.model import Member, Model
from models.novelty import Familiar, learn_familiar
from models.pictures import to_window
from models.planner import HeldOutErrors, make_plan
from models.prediction import finish
from models.recovery import concentration, fit_recovery
from models.shapes import measure_shapes


def conclude(members: Sequence[Member], job: Job) -> Model:
    """Members and held-out specimens → the model with its held-out predictions."""
    prior = make_prior(job.material, job.material.mixed)
    held = look_at(members, job, prior)
    familiar = _familiar(members, held, job, prior)
    job.tick()
    calibrated = calibrate(held, members, job, prior)
    by_fold, whole = calibrated.by_fold, calibrated.whole
    everyone = np.ones(len(held.rows), bool)
    model = _with_tail(_bare(members, job, prior, familiar, whole), held, everyone, whole, job)
    predictions = []
    for row, fold in enumerate(held.fold):
        blind = _with_tail(model, held, held.fold != fold, by_fold[fold], job)
        bag = job.material.whole[held.rows[row]]
        evidence = held.evidence[row]
        predictions.append(finish(blind, bag, evidence, job.composition))
    card = _foresight(held, model, calibrated, job.course.points())
    card["examples"] = pick_examples(held, calibrated, job, prior)
    return replace(model, held_out=tuple(predictions), card=card)


def _foresight(
    held: HeldOut, model: Model, calibrated: Calibrated, course: list[dict[str, Any]]
) -> dict[str, Any]:
    """What the card says of studies to come."""
    errors = HeldOutErrors(
        model.classes,
        held.found[model.calibration.method],
        held.known,
        held.known_sd,
        held.cells,
    )
    plan = make_plan(errors, calibrated.lessons, model.errors.donors)
    # The plan speaks in points; a learning curve holds shares, as all that is compared does.
    curve = [
        {"donors": donors, "error": error / 100, "low": low / 100, "high": high / 100}
        for donors, error, low, high in plan.get("curve", ())
    ]
    return {"plan": plan, "learning_curve": curve, "course": course}


def _bare(
    members: Sequence[Member],
    job: Job,
    prior: np.ndarray,
    familiar: tuple[Familiar, UsualLook],
    calibration: Calibration,
) -> Model:
    """A model that knows nothing of its errors yet."""
    nothing = np.zeros((0, len(prior) - 1))
    return Model(
        classes=job.material.classes,
        members=tuple(members),
        width=job.settings.width,
        prior=prior,
        calibration=calibration,
        errors=fit_errors(nothing, nothing, nothing, np.zeros(0), nothing),
        recovery=fit_recovery(np.zeros(0), np.zeros(0), []),
        familiar=familiar[0],
        look=familiar[1],
        window_um=job.material.window_um,
    )


def look_at(members: Sequence[Member], job: Job, prior: np.ndarray) -> HeldOut:
    """Ask each fold's network about the specimens it never saw."""
    material, views = job.material, job.composition.views
    networks = [build_network(member, job.settings.width, job.device) for member in members]
    count, k = len(material.mixed), len(material.classes)
    nothing = np.full((count, k), np.nan)
    held = HeldOut(
        rows=list(material.mixed),
        fold=np.array([job.folds[material.donor(i)] for i in material.mixed], int),
        evidence=[],
        cells=np.zeros(count),
        known=nothing.copy(),
        known_sd=nothing.copy(),
        ratio=np.full(count, np.nan),
        features=np.zeros((count, 0)),
        found={name: nothing.copy() for name in METHODS},
        sways={name: nothing.copy() for name in METHODS},
    )
    for row, i in enumerate(material.mixed):
        target, fold = material.targets[i], held.fold[row]
        pair = [(members[fold], networks[fold])]
        crops = to_window(material.whole[i].crops, material.whole[i].window_um, material.window_um)
        evidence = gather(pair, crops, prior, views=views, device=job.device)
        held.evidence.append(evidence)
        held.cells[row] = leukocytes(evidence.logits, prior)
        if not target.relative:
            held.known[row], held.known_sd[row] = target.fraction, target.sd
        held.ratio[row] = _log_ratio(material, i, held.cells[row])
        job.tick()
    return held


def _log_ratio(material: Material, index: int, cells: float) -> float:
    bag = material.whole[index]
    total = stated_total(bag.known, material.classes)
    found = concentration(cells, bag.imaged_volume_ul, bag.dilution)
    return float(np.log(found / total)) if found > 0 else float("nan")


def _familiar(
    members: Sequence[Member], held: HeldOut, job: Job, prior: np.ndarray
) -> tuple[Familiar, UsualLook]:
    """Novelty and drift: learned from mixed specimens and blanks.

    Purified cells are looked at only where there is nothing else: their treatment makes them a
    kind of their own.
    """
    material, evidence = job.material, list(held.evidence)
    if not evidence:
        network = [(members[0], build_network(members[0], job.settings.width, job.device))]
        evidence = [
            gather(network, material.bags[i].crops, prior, views=1, device=job.device)
            for i in material.purified
        ]
    labels = [most_probable(e.logits, prior) for e in evidence]
    blanks = [material.bags[i].crops for i in material.blank]
    dirt = [measure_shapes(crops) for crops in blanks]
    look = learn_look([e.shapes for e in evidence], labels, len(prior), dirt=dirt)
    centre = np.mean([m.looks.centre for m in members], axis=0)
    dirt = [measure_builds(crops, centre, job.device) for crops in blanks]
    builds, folds = [e.builds for e in evidence], held.fold if held.evidence else None
    return learn_familiar(builds, labels, len(prior), folds=folds, dirt=dirt), look


def _with_tail(
    model: Model, held: HeldOut, rows: np.ndarray, calibration: Calibration, job: Job
) -> Model:
    """The model with method, errors and recovery from some rows."""
    gaps = {name: (found - held.known)[rows] for name, found in held.found.items()}
    gaps = {name: gap for name, gap in gaps.items() if np.isfinite(gap).any()}
    method, scores = choose_method(gaps) if gaps else (METHODS[0], {})
    told = (held.found[method], held.known, held.known_sd, held.cells, held.sways[method])
    errors = fit_errors(*(part[rows] for part in told))
    instruments = [job.material.bags[i].instrument_id for i in np.array(held.rows, int)[rows]]
    return replace(
        model,
        calibration=replace(calibration, method=method, scores=scores),
        errors=errors,
        recovery=fit_recovery(held.ratio[rows], held.cells[rows], instruments),
    )
