"""Error against size: where a head fitted on few bags breaks down, and how ridge avoids it.

A linear head from d numbers of a bag to its shares, fitted on M bags, fits them exactly from d ≈ M
on; there its error peaks, and falls again beyond (Belkin et al., PNAS 2019). The curve is measured
on the study's own bags with donors left out, once bare and once with ridge.
"""

from __future__ import annotations

import numpy as np

_SIZES = (2, 4, 8, 12, 16, 20, 24, 32, 48, 64, 128, 256, 512)
_PARTS, _SEED = 6, 11
_RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


def capacity_curve(
    features: np.ndarray, known: np.ndarray, donors: np.ndarray
) -> list[tuple[int, float, float]]:
    """Numbers a bag, and error in points without and with ridge; empty with fewer than 6 donors.

    Parameters
    ----------
    features
        (B, D) numbers of each bag, from which the first d are taken.
    known, donors
        (B, K) shares and (B,) the donor of each.
    """
    names = np.unique(donors)
    if len(names) < _PARTS:
        return []
    part = dict(
        zip(np.random.default_rng(_SEED).permutation(names), np.arange(len(names)), strict=True)
    )
    left_out = np.array([part[donor] % _PARTS for donor in donors])
    curve = []
    for size in [d for d in _SIZES if d <= features.shape[1]]:
        some = features[:, :size]
        bare = _error(some, known, left_out, 0.0)
        # The largest of a few strengths that errs least: what a careful person would pick.
        ridged = min(_error(some, known, left_out, ridge) for ridge in _RIDGES)
        curve.append((size, round(bare, 3), round(ridged, 3)))
    return curve


def _error(features: np.ndarray, known: np.ndarray, left_out: np.ndarray, ridge: float) -> float:
    gaps = []
    for fold in range(_PARTS):
        train, test = left_out != fold, left_out == fold
        centre, middle = features[train].mean(0), known[train].mean(0)
        x, y = features[train] - centre, known[train] - middle
        if ridge:
            scale = ridge * np.trace(x @ x.T) / len(x)
            weights = x.T @ np.linalg.solve(x @ x.T + scale * np.eye(len(x)), y)
        else:
            weights = np.linalg.lstsq(x, y, rcond=None)[0]
        found = np.clip(middle + (features[test] - centre) @ weights, 0, 1)
        gaps.append(np.abs(found - known[test]))
    return float(100 * np.concatenate(gaps).mean())
