"""A model and a bag → the composition of the specimen."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import softmax

from cellcensus.progress import Progress, Silent
from cellcensus.settings import CompositionSettings
from models.bag import Bag
from models.composition import all_methods, posterior_mean, recovered
from models.device import choose_device, threads
from models.drift import drift
from models.evidence import (
    Evidence,
    build_network,
    gather,
    leukocytes,
    most_probable,
)
from models.intervals import member_spread, product_interval, share_interval
from models.model import ARTEFACT, UNCLASSIFIED, Model, Prediction
from models.novelty import surprise, unusual
from models.pictures import to_window
from models.recovery import total_concentration
from models.sway import sway


def predict(
    model: Model,
    bag: Bag,
    *,
    settings: CompositionSettings | None = None,
    progress: Progress | None = None,
) -> Prediction:
    """Predict the composition of a specimen, whatever its role; what is known of it is not used.

    Parameters
    ----------
    model
        From :func:`models.training.train` or :func:`models.modelfile.load`.
    bag
        The specimen's cells; no cells at all give NaN concentrations and a flag.
    """
    settings, progress = settings or CompositionSettings(), progress or Silent()
    device = choose_device()
    progress.start(f"predicting {bag.specimen_id}", len(model.members))
    with threads(settings.threads):
        pairs = [(m, build_network(m, model.width, device)) for m in model.members]
        evidence = gather(
            pairs,
            to_window(bag.crops, bag.window_um, model.window_um),
            model.prior,
            views=settings.views,
            device=device,
            tick=progress.advance,
        )
    result = finish(model, bag, evidence, settings)
    progress.finish(f"{result.cells} cells")
    return result


def finish(
    model: Model,
    bag: Bag,
    evidence: Evidence,
    settings: CompositionSettings,
) -> Prediction:
    """From evidence of some members to the prediction; pure arithmetic."""
    surprising, odd = _surprise(model, evidence)
    cell_class, probability = _classify(model, evidence, surprising)
    cells = int((cell_class != ARTEFACT).sum())
    counts = np.array([(cell_class == k).sum() for k in range(len(model.classes))])
    methods = all_methods(
        evidence.logits, model.prior, model.calibration, _feature(model, evidence)
    )
    fraction = methods[model.calibration.method]
    size = leukocytes(evidence.logits, model.prior)
    low, high, sd = _limits(model, evidence, fraction, size)
    # Cells that were filmed, not those that were looked at.
    total = total_concentration(
        size, bag.imaged_volume_ul, bag.dilution, bag.instrument_id, model.recovery
    )
    per_low, per_high = product_interval(fraction, (low, high), total[0], total[1:])
    drifted = _drift(model, evidence)
    flags = _flags(
        model,
        bag,
        settings,
        cell_class=cell_class,
        methods=methods,
        total=total[0],
        drift=drifted,
        odd=odd,
    )
    details: dict[str, Any] = {
        "methods": {name: _rounded(value) for name, value in methods.items()},
        "standard_deviation": _rounded(sd),
        "interval": "conformal over donors" if model.errors.conformal else "Student's t",
        "held_out_donors": model.errors.donors,
        "unclassified_share": round(_share(cell_class), 4),
        "unclassified_unusual": round(odd, 2),
        "drift": round(drifted, 2),
        "artefact_share": round(1 - size / max(len(bag), 1), 4),
        "log_contrast_effect": round(float(evidence.effect[0]), 4),
        "log_size_effect": round(float(evidence.effect[1]), 4),
    }
    return Prediction(
        specimen_id=bag.specimen_id,
        classes=model.classes,
        cells=cells,
        counts=counts,
        fraction=fraction,
        fraction_low=low,
        fraction_high=high,
        per_ul=fraction * total[0],
        per_ul_low=per_low,
        per_ul_high=per_high,
        total_per_ul=total[0],
        total_per_ul_low=total[1],
        total_per_ul_high=total[2],
        cell_class=cell_class,
        probability=probability,
        flags=flags,
        method=model.calibration.method,
        details=details,
    )


def _classify(model: Model, evidence: Evidence, found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Class (int8) and probability (float32) of every cell; ``found`` is each one's surprise."""
    if evidence.logits.shape[1] == 0:
        return np.zeros(0, np.int8), np.zeros(0, np.float32)
    posterior = softmax(evidence.logits + np.log(model.prior), axis=-1).mean(0)
    labels = posterior.argmax(1)
    strange = found > model.familiar.threshold
    best = labels.astype(np.int8)
    best[labels == len(model.classes)] = ARTEFACT
    # What resembles no dirt that was ever seen may be a cell, whatever the network takes it for:
    # platelets were called artefacts with certainty.
    best[strange] = UNCLASSIFIED
    return best, posterior.max(1).astype(np.float32)


def _surprise(model: Model, evidence: Evidence) -> tuple[np.ndarray, float]:
    """How surprising every cell is, (n,), and how unusual the specimen for these."""
    if evidence.logits.shape[1] == 0:
        return np.zeros(0), 0.0
    labels = most_probable(evidence.logits, model.prior)
    found = surprise(model.familiar, evidence.builds, labels)
    return found, unusual(model.familiar, evidence.builds, labels, found)


def _drift(model: Model, evidence: Evidence) -> float:
    if evidence.logits.shape[1] == 0:
        return 0.0
    labels = most_probable(evidence.logits, model.prior)
    return drift(model.look, evidence.shapes, labels)


def _feature(model: Model, evidence: Evidence) -> np.ndarray | None:
    embedding = model.calibration.embedding
    return None if embedding is None else embedding.lens.mean(evidence.shapes, evidence.effect)


def _limits(
    model: Model, evidence: Evidence, share: np.ndarray, cells: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """95 % limits (K,) of shares, and their standard deviation."""
    sways = sway(evidence.logits, model.prior, model.calibration, share)
    spread = member_spread(_member_shares(model, evidence))
    return share_interval(share, cells, model.errors, sways, spread)


def _member_shares(model: Model, evidence: Evidence) -> np.ndarray:
    """(M, K) mean posterior of each member alone."""
    if evidence.logits.shape[1] == 0:
        return np.zeros((1, len(model.classes)))
    alone = [posterior_mean(part[None], model.prior) for part in evidence.logits]
    return np.stack([recovered(share, model.calibration.recovery) for share in alone])


def _flags(
    model: Model,
    bag: Bag,
    settings: CompositionSettings,
    *,
    cell_class: np.ndarray,
    methods: dict[str, np.ndarray],
    total: float,
    drift: float,
    odd: float,
) -> tuple[str, ...]:
    cells, unclassified = int((cell_class != ARTEFACT).sum()), _share(cell_class)
    chosen = methods[model.calibration.method]
    apart = max(
        float(np.abs(methods[name] - chosen).max()) for name in ("mean", "recalibrated", "counting")
    )
    known = [name for name in model.recovery.log_total if name]
    checks = {
        "no_cells": cells == 0,
        "few_cells": 0 < cells < settings.fewest_cells,
        "unclassified_over_5_percent": unclassified > settings.flag_unclassified
        or odd > settings.unusual_unclassified,
        "hold_unclassified_over_15_percent": unclassified > settings.hold_unclassified,
        "methods_disagree": cells > 0 and apart > settings.disagreement,
        "instrument_drift": drift > settings.drift,
        "no_concentration": math.isnan(total),
        "instrument_not_in_training": bool(known) and bag.instrument_id not in (None, *known),
        "trained_without_mixed": model.errors.donors == 0,
        "intervals_from_few_donors": not model.errors.conformal,
    }
    return tuple(name for name, raised in checks.items() if raised)


def _share(cell_class: np.ndarray) -> float:
    cells = (cell_class != ARTEFACT).sum()
    return float((cell_class == UNCLASSIFIED).sum() / cells) if cells else 0.0


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(v), 5) for v in values]
