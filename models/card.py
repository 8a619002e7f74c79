"""The model card: what a model was trained on, how well it does, and where not to use it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from cellcensus.settings import TrainingSettings
from models.job import Job
from models.knowledge import stated_total
from models.learnables import Material
from models.model import Model
from models.recovery import PRIOR_SD, concentration, recovery_limits
from models.suspects import Sheet, Suspect, find_suspects

_FEW_DONORS = 12


def write_card(model: Model, job: Job, asked: TrainingSettings | None = None) -> Model:
    """The same model with its card; ``asked`` are the settings before memory ran short."""
    material = job.material
    card: dict[str, Any] = {
        **model.card,
        "classes": list(model.classes),
        "trained_on": _sources(material),
        "instruments": sorted({b.instrument_id for b in material.bags if b.instrument_id}),
        "donors": {
            "all": len({material.donor(i) for i in range(len(material.bags))}),
            "mixed": len(material.donor_shares()),
        },
        "folds": _fold_members(job),
        "held_out": _held_out_errors(model, material),
        "suspects": [suspect.as_dict() for suspect in _suspects(model, material)],
        "recovery": {
            (name or "all instruments"): round(float(np.exp(value)), 4)
            for name, (value, _sd) in model.recovery.log_total.items()
        },
        "recovery_limits": _recovery_limits(model),
        "class_recovery": _class_recovery(model),
        "method": model.calibration.method,
        "settings": job.settings.model_dump(mode="json"),
        "flags": _flags(material),
        "limits": [*_limits(model, material), *_shortage(job, asked)],
        "left_out": dict(material.left_out),
    }
    return replace(model, card=card)


def _recovery_limits(model: Model) -> dict[str, list[float]]:
    """95 % limits of each instrument's recovery; empty where no total told of it."""
    if not model.recovery.specimens:
        return {}
    return {
        (name or "all instruments"): [round(v, 4) for v in recovery_limits(model.recovery, name)]
        for name in model.recovery.log_total
    }


def _class_recovery(model: Model) -> dict[str, dict[str, float]]:
    """Cells counted of each class for one in the blood, and how sure that is (as a factor)."""
    c = model.calibration
    value = c.recovery * c.recoveries.get("counting", np.ones(len(model.classes)))
    sd = np.full(len(value), PRIOR_SD) if c.recovery_sd is None else c.recovery_sd
    return {
        name: {"recovery": round(float(r), 4), "sd_log": round(float(s), 4)}
        for name, r, s in zip(model.classes, value, sd, strict=True)
    }


def _sources(material: Material) -> dict[str, Any]:
    studies: dict[str, dict[str, list[str]]] = {}
    for bag in material.bags:
        studies.setdefault(bag.study, {}).setdefault(bag.known.role, []).append(bag.specimen_id)
    cells = sum(len(bag) for bag in material.whole)
    return {"studies": studies, "cells": int(cells)}


def _fold_members(job: Job) -> list[list[str]]:
    material = job.material
    return [
        [material.bags[i].specimen_id for i in material.mixed if job.folds[material.donor(i)] == f]
        for f in range(job.fold_count)
    ]


def _known(material: Material) -> np.ndarray:
    """Stated shares (B, K), NaN where they are not shares of all leukocytes."""
    known = np.array([material.targets[i].fraction for i in material.mixed])
    known[[material.targets[i].relative for i in material.mixed]] = np.nan
    return known


def _suspects(model: Model, material: Material) -> list[Suspect]:
    if not model.held_out:
        return []
    whole = [material.whole[i] for i in material.mixed]
    cells = np.array([p.cells for p in model.held_out], float)
    sheet = Sheet(
        found=np.array([p.fraction for p in model.held_out]),
        known=_known(material),
        known_sd=np.array([material.targets[i].sd for i in material.mixed]),
        cells=cells,
        counted=np.array(
            [
                concentration(n, bag.imaged_volume_ul, bag.dilution)
                for n, bag in zip(cells, whole, strict=True)
            ]
        ),
        totals=np.array([stated_total(bag.known, material.classes) for bag in whole]),
    )
    return find_suspects([p.specimen_id for p in model.held_out], model.classes, sheet)


def _held_out_errors(model: Model, material: Material) -> dict[str, Any]:
    if not model.held_out:
        return {}
    known = _known(material)
    gap = 100 * (np.array([p.fraction for p in model.held_out]) - known)
    seen = np.isfinite(gap).any(axis=0)
    error = {
        name: {
            "mean_absolute_points": round(float(np.nanmean(np.abs(gap[:, k]))), 3),
            "bias_points": round(float(np.nanmean(gap[:, k])), 3),
        }
        for k, name in enumerate(model.classes)
        if seen[k]
    }
    return {
        "by_class": error,
        "methods_mean_and_worst_points": {
            name: [round(v, 3) for v in values] for name, values in model.calibration.scores.items()
        },
    }


def _flags(material: Material) -> list[str]:
    purified = {material.bags[i].known.cell_class for i in material.purified}
    donors = len(material.donor_shares())
    checks = {
        "trained_without_mixed": donors == 0,
        "few_mixed_donors": 0 < donors < _FEW_DONORS,
        "trained_without_purified": not material.purified,
        "trained_without_blank": not material.blank,
        "purity_assumed": any(material.bags[i].known.purity is None for i in material.purified),
    }
    missing = [name for name in material.classes if purified and name not in purified]
    return [n for n, raised in checks.items() if raised] + [f"no_purified_{n}" for n in missing]


def _shortage(job: Job, asked: TrainingSettings | None) -> list[str]:
    if asked is None or asked.bag_cells == job.settings.bag_cells:
        return []
    return [
        f"Memory was short: learned from {job.settings.bag_cells} cells of a specimen at a time "
        f"instead of {asked.bag_cells}, which may err more."
    ]


def _limits(model: Model, material: Material) -> list[str]:
    donors = len(material.donor_shares())
    lines = [
        "Counts only the classes named here; other cells raise the unclassified share.",
        "For the instruments named here; another one needs mixed specimens of its own.",
    ]
    if not model.errors.conformal:
        lines.append(
            f"{donors} mixed donors: intervals rest on an assumed shape; 19 are needed to test it."
        )
    untold = _untold(material)
    if donors and untold:
        lines.append(
            f"No analyser told {untold} of the {len(model.classes)} classes: how far these are off "
            "was never seen, and their intervals may not hold."
        )
    if donors == 0:
        lines.append("Learned from purified cells alone: not to be trusted on blood.")
    return lines


def _untold(material: Material) -> int:
    """How many classes no mixed specimen tells, by themselves or as what is left of the total."""
    told = np.zeros(len(material.classes), bool)
    for target in material.targets.values():
        rest = target.known.sum() == len(told) - 1 and not target.relative
        told |= target.known | rest
    return int((~told).sum())
