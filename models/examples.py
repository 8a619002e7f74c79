"""Cells to show people: of each class the most typical, the least certain, the most influential.

All of mixed specimens, told by networks that had not seen their donor. One cell a specimen, so that
no single donor fills a row.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import softmax

from models.calibrate import Calibrated, HeldOut
from models.evidence import most_probable
from models.influence import influences
from models.job import Job

SHOWN = 8
Shelf = dict[str, list[list[Any]]]


def pick_examples(
    held: HeldOut, calibrated: Calibrated, job: Job, prior: np.ndarray
) -> dict[str, Shelf]:
    """Of each class, rows of study, specimen, number of the cell in its bag, and a value.

    The value is the probability of the class, or of influential cells the relative change of
    left-out donors' loss on the kernel head if the cell were left out (above 0: it helps).
    """
    classes = job.material.classes
    weight = _influence(held, calibrated)
    found: dict[str, dict[str, list[tuple[float, list[Any]]]]] = {
        name: {"typical": [], "uncertain": [], "influential": []} for name in classes
    }
    for row, evidence in enumerate(held.evidence):
        if not evidence.logits.shape[1]:
            continue
        bag = job.material.whole[held.rows[row]]
        labels = most_probable(evidence.logits, prior)
        sure = softmax(evidence.logits + np.log(prior), axis=-1).mean(0).max(1)
        for k, name in enumerate(classes):
            mine = np.flatnonzero(labels == k)
            if not len(mine):
                continue
            kinds = {"typical": sure, "uncertain": -sure, "influential": np.abs(weight[row])}
            for kind, order in kinds.items():
                best = int(mine[np.argmax(order[mine])])
                value = weight[row][best] if kind == "influential" else sure[best]
                told = [bag.study, bag.specimen_id, best, float(f"{value:.3g}")]
                if kind != "influential" or value:
                    found[name][kind].append((float(order[best]), told))
    return {
        name: {
            kind: [told for _order, told in sorted(rows, key=lambda pair: -pair[0])[:SHOWN]]
            for kind, rows in shelf.items()
        }
        for name, shelf in found.items()
    }


def _influence(held: HeldOut, calibrated: Calibrated) -> list[np.ndarray]:
    """Of each row, zeros where the kernel head could not learn from it."""
    out = [np.zeros(e.logits.shape[1]) for e in held.evidence]
    lessons = calibrated.lessons
    usable = np.nonzero(np.isfinite(held.known).all(axis=1))[0]
    if lessons is None or len(usable) < 2:
        return out
    cells = [lessons.lens.each(held.evidence[i].shapes, held.evidence[i].effect) for i in usable]
    for i, values in zip(usable, influences(lessons, cells), strict=True):
        out[i] = values
    return out
