"""Which cells teach most: what leaving one out would change for donors who were left out.

On the kernel head (:mod:`models.embedding`), where it can be computed for every cell without
learning again. The head's class means are linear in the mean features F_b of the specimens,
fit_d = sum_b H_db F_b, and so is what it says of a donor whom it did not see,
r_d = (F_d − fit_d) / (1 − H_dd) (PRESS; Allen, Technometrics 16 (1974), 125–127). Without cell i,
F_b becomes F_b + (F_b − phi(x_i)) / (n_b − 1), and the loss sum_d |r_d|² of the other donors
changes by an amount that is known in closed form: leave-one-cell-out, what gradients of a network
(TracIn; Pruthi, Liu, Kale and Sundararajan, NeurIPS 2020) approximate at a far higher price.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.embedding import class_means_map
from models.planner import Lessons


def influences(lessons: Lessons, cells: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Relative change of left-out donors' loss if each cell were left out, by specimen.

    Parameters
    ----------
    lessons
        What the head learns from.
    cells
        Of each mixed specimen (n, D) features of its cells, whose mean is ``lessons.features``.

    Returns
    -------
    Of each mixed specimen (n,), as a share of the loss; above 0: the cell helps.
    """
    mixed = len(lessons.features)
    features = np.concatenate([lessons.features, lessons.pure_features])
    holds = np.concatenate([lessons.holds, lessons.pure_holds])
    weights = np.concatenate([np.ones(mixed), lessons.pure_weights])
    hat = holds[:mixed] @ class_means_map(holds, weights)
    own = np.clip(1 - np.diag(hat), 0.05, None)[:, None]
    rest = (features[:mixed] - hat @ features) / own
    importance = 1 / (rest.var(0) + rest.var())
    loss = float((np.square(rest) * importance).sum())
    found = []
    for b, each in enumerate(cells):
        others = lessons.donors != lessons.donors[b]
        pull = np.where(others, hat[:, b] / own[:, 0], 0.0)
        # Shift of the specimen's mean once a cell is gone, and of what is left of other donors.
        shift = (features[b] - each) / max(len(each) - 1, 1)
        change = -2 * shift @ (importance * (pull @ rest))
        change = change + (pull @ pull) * np.square(shift) @ importance
        found.append(change / max(loss, 1e-12))
    return found
