"""Donor folds: which donors each network never sees."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np


def split_donors(compositions: Mapping[str, np.ndarray], folds: int, seed: int) -> dict[str, int]:
    """Deal donors into folds of like composition.

    Donors are ordered by their most unusual share and dealt out in turn, so that each fold gets
    its part of the abnormal ones: they teach most, and no network should be without all of them.

    Parameters
    ----------
    compositions
        Of each donor, (K,) shares; NaN where not known.
    folds
        At most as many as donors.

    Returns
    -------
    The fold of each donor; the same donors, shares and seed give the same folds.
    """
    names = sorted(compositions)
    if not names:
        return {}
    folds = min(folds, len(names))
    shares = np.nan_to_num(np.stack([compositions[name] for name in names]), nan=0.0)
    unusual = np.abs(np.sqrt(shares) - np.median(np.sqrt(shares), axis=0)).max(axis=1)
    order = sorted(range(len(names)), key=lambda i: (-round(unusual[i], 2), _tie(names[i], seed)))
    return {names[i]: place % folds for place, i in enumerate(order)}


def _tie(name: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()
