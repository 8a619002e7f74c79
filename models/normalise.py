"""What is common to a specimen's cells (stain, focus, magnification) is not the cell's class.

A specimen's typical contrast and typical size mix two things: how this donor's cells look on this
day, and which classes it holds. A specimen of lymphocytes is small and dark without any donor
effect. So the part its composition explains is taken off before the rest is normalised away:

    mean of log s over the cells of specimen b  =  donor_b + sum_k p_bk class_k  (+ purification)

with s the contrast or the diameter, fitted over all specimens whose composition is known. A
specimen to be predicted starts from a guess of its composition. That guess may be wrong, and then
what is taken for the donor is the class: in specimens far from ordinary blood size, taken off in
full, made monocytes small and lymphocytes of them (19 points of error where 10 remained without).
So only the part of a donor effect is taken off that donors are known to differ by:
var(donor) / (var(donor) + GUESS_SD²).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DONOR_SD, CLASS_SD, SHIFT_SD = 0.10, 0.40, 0.15
# How far a guessed composition misses the typical log contrast and log diameter.
GUESS_SD = 0.05
_USUAL_SD, _USUAL_DONORS = 0.06, 4
FEWEST_CELLS = 20
_CHUNK = 4096


@dataclass(frozen=True)
class ClassLooks:
    """What normalisation learned: the typical log contrast and log diameter.

    Parameters
    ----------
    centre
        (2,) over all specimens.
    classes
        (K, 2) how each class differs from it.
    trust
        (2,) share of a specimen's remaining difference that is believed to be its donor's.
    """

    centre: np.ndarray
    classes: np.ndarray
    trust: np.ndarray


def measure_cells(crops: np.ndarray) -> np.ndarray:
    """Log contrast and log diameter of each cell's best view.

    Parameters
    ----------
    crops
        (n, V, S, S) uint8, 128 the background.

    Returns
    -------
    (n, 2) float32; contrast 1 is full scale, the diameter is that of the circle of the same area,
    as a share of the window. NaN where nothing stands out of the background.
    """
    out = np.full((len(crops), 2), np.nan, np.float32)
    for start in range(0, len(crops), _CHUNK):
        part = np.abs(crops[start : start + _CHUNK, 0].astype(np.int16) - 128).astype(np.uint8)
        flat = part.reshape(len(part), -1)
        peak = np.partition(flat, -20, axis=1)[:, -20].astype(np.float32)
        inside = flat > np.maximum(6.0, 0.3 * peak)[:, None]
        area = inside.sum(1)
        good = area >= 4
        contrast = (flat * inside).sum(1)[good] / area[good] / 127.0
        diameter = np.sqrt(4 / np.pi * area[good] / flat.shape[1])
        out[start : start + len(part)][good] = np.log(np.stack([contrast, diameter], 1))
    return out


def typical(cells: np.ndarray) -> np.ndarray:
    """Robust mean of the cells' log contrast and log diameter, (2,); NaN with too few cells.

    Specks of dirt are far smaller than cells, so what is far from the median is left out.
    """
    cells = cells[np.isfinite(cells).all(axis=1)]
    if len(cells) < FEWEST_CELLS:
        return np.full(2, np.nan)
    near = np.abs(cells - np.median(cells, axis=0)) < 0.6
    return np.array([cells[near[:, i], i].mean() for i in range(2)])


def fit_looks(
    means: np.ndarray, compositions: np.ndarray, purified: Sequence[bool] | np.ndarray
) -> ClassLooks:
    """Separate classes from donors by ridge regression (a mixed model with known variances).

    Parameters
    ----------
    means
        (B, 2) from :func:`typical`; rows with NaN are left out.
    compositions
        (B, K), rows adding to 1.
    purified
        (B,) which specimens were purified; these share one shift of their own.
    """
    good = np.isfinite(means).all(axis=1) & np.isfinite(compositions).all(axis=1)
    k = compositions.shape[1]
    if good.sum() < 2:
        centre = np.zeros(2) if not good.any() else means[good][0]
        return ClassLooks(centre, np.zeros((k, 2)), _trust(np.zeros((0, 2))))
    flag = np.asarray(purified, float)[good]
    mixed = flag == 0
    centre = means[good][mixed].mean(0) if mixed.any() else means[good].mean(0)
    middle = compositions[good][mixed].mean(0) if mixed.any() else np.full(k, 1 / k)
    design = np.column_stack([compositions[good] - middle, flag])
    penalty = np.diag([1 / CLASS_SD**2] * k + [1 / SHIFT_SD**2]) * DONOR_SD**2
    solution = np.linalg.solve(design.T @ design + penalty, design.T @ (means[good] - centre))
    classes = solution[:k]
    left = means[good] - centre - design @ solution
    return ClassLooks(centre, classes - middle @ classes, _trust(left))


def _trust(left: np.ndarray) -> np.ndarray:
    """How much of a difference is the donor's, (2,), from what the fit left of each specimen's."""
    few = _USUAL_DONORS
    variance = (np.square(left).sum(0) + few * _USUAL_SD**2) / (len(left) + few)
    trust: np.ndarray = variance / (variance + GUESS_SD**2)
    return trust


def donor_effect(
    looks: ClassLooks, mean: np.ndarray, composition: np.ndarray, *, certain: bool = False
) -> np.ndarray:
    """What is left of a specimen's typical look once its composition is explained, (2,).

    Nothing where the specimen has too few cells to say.

    Parameters
    ----------
    certain
        The composition is no guess, nor are ordinary donors to be imitated: a purified specimen's
        own look, most of which is its treatment, is taken off in full.
    """
    trust = 1.0 if certain else looks.trust
    effect = trust * (mean - looks.centre - composition @ looks.classes)
    return np.where(np.isfinite(effect), np.clip(effect, -0.7, 0.7), 0.0)
