"""How rare a value is among ordinary cells of a class, as −log p.

Two different signs of news are made comparable and added (Fisher's way of combining p-values): how
far a cell's looks are from its class, and how much the network doubts the class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEVELS = (0.0, 0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998)
_SURPRISE = -np.log1p(-np.array(LEVELS))
# Quantiles of a rare class lean on those of all cells, as if these were so many cells of it.
_POOLED_CELLS = 100
# Beyond the last quantile nothing tells how rare a value is: no single sign may outweigh all else.
_MOST = 12.0


@dataclass(frozen=True)
class Rarity:
    """Quantiles of ordinary cells' values.

    Parameters
    ----------
    quantiles
        (C, Q) of each class, artefacts last, at ``LEVELS``.
    """

    quantiles: np.ndarray

    def surprise(self, values: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """−log of the share of ordinary cells of the class with a value at least as high, (n,).

        Parameters
        ----------
        values, labels
            (n,) and the class of each.
        """
        out = np.zeros(len(values))
        for k, knots in enumerate(self.quantiles):
            mine = labels == k
            if mine.any() and knots[-1] > knots[0]:
                out[mine] = _interpolate(values[mine], knots)
        return out


def learn_rarity(values: np.ndarray, labels: np.ndarray, classes: int) -> Rarity:
    """Quantiles by class from ordinary cells, (N,) values and labels 0 … ``classes`` − 1."""
    if not len(values):
        return Rarity(np.zeros((classes, len(LEVELS))))
    every = np.quantile(values, LEVELS)
    rows = []
    for k in range(classes):
        mine = values[labels == k]
        weight = len(mine) / (len(mine) + _POOLED_CELLS)
        own = np.quantile(mine, LEVELS) if len(mine) else every
        rows.append(weight * own + (1 - weight) * every)
    return Rarity(np.array(rows))


def _interpolate(values: np.ndarray, knots: np.ndarray) -> np.ndarray:
    found = np.interp(values, knots, _SURPRISE)
    slope = (_SURPRISE[-1] - _SURPRISE[-4]) / max(knots[-1] - knots[-4], 1e-9)
    beyond = np.maximum(values - knots[-1], 0.0)
    return np.asarray(np.minimum(found + slope * beyond, _MOST))
