"""What is common to a specimen's cells, once their classes are explained.

Stain, focus and magnification are no news of any cell. The median over cells, so that strange ones
do not move it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

FEWEST = 30
_ROUNDS = 3


def common_look(features: np.ndarray, labels: np.ndarray, middle: np.ndarray) -> np.ndarray | None:
    """What is common to the specimen's cells, (F,); ``None``: too few to say.

    Parameters
    ----------
    features, labels
        (n, F) and the class of each, (n,).
    middle
        (C, F) what a typical cell of each class is like; NaN: never seen.
    """
    apart = features - middle[labels]
    apart = apart[np.isfinite(apart).all(axis=1)]
    return np.asarray(np.median(apart, axis=0)) if len(apart) >= FEWEST else None


def freed(features: np.ndarray, labels: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Features with what is common to the specimen's cells taken off."""
    look = common_look(features, labels, middle)
    return features if look is None else features - look


def class_middles(
    features: Sequence[np.ndarray], labels: Sequence[np.ndarray], classes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Class medians (C, F), freed features (N, F) and labels (N,) of several specimens.

    Medians and specimens' common looks improve each other for a few rounds.
    """
    every = np.concatenate(list(labels))
    free = list(features)
    for _ in range(_ROUNDS):
        stacked = np.concatenate(free)
        middle = np.full((classes, stacked.shape[1]), np.nan)
        for k in range(classes):
            if (every == k).sum() >= FEWEST:
                middle[k] = np.median(stacked[every == k], axis=0)
        pairs = zip(features, labels, strict=True)
        free = [freed(part, label, middle) for part, label in pairs]
    return middle, np.concatenate(free), every
