"""Kernel mean embedding: composition without any network.

The mean of random Fourier features over a specimen's cells is a mixture of class means, in the
shares of the classes. Class means are found by least squares over all specimens whose shares are
known, and a new specimen's shares are those whose mixture comes nearest. Baseline, second opinion
and the cheapest way to ask what more donors would bring.

Rahimi and Recht, NIPS 2007; Iyer, Nath and Sarawagi, ICML 2014.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

NUMBERS = 512
_RIDGE, _SUM_WEIGHT, _SEED = 0.02, 100.0, 7
# How many times log contrast and log diameter stand in each of the plain features.
_CONTRAST = np.array([0.0, 1, 1, 0, 0, 1, 1, 0, 0])
_SIZE = np.array([2.0, 0, 0, 0, 0, -1, -2, 0, 0])


@dataclass(frozen=True)
class Lens:
    """Random Fourier features of a Gaussian kernel on standardised plain features.

    Parameters
    ----------
    centre, scale
        (F,) of the plain features.
    frequency, phase
        (F, D) and (D,).
    """

    centre: np.ndarray
    scale: np.ndarray
    frequency: np.ndarray
    phase: np.ndarray

    def mean(self, shapes: np.ndarray, effect: np.ndarray) -> np.ndarray:
        """Mean feature of a specimen's cells, (D,); zeros without cells.

        Parameters
        ----------
        shapes
            (n, F) plain features.
        effect
            (2,) log contrast and log size that are its donor's, to be taken off.
        """
        if not len(shapes):
            return np.zeros(len(self.phase))
        return np.asarray(self.each(shapes, effect).mean(0))

    def each(self, shapes: np.ndarray, effect: np.ndarray) -> np.ndarray:
        """Features of each cell, (n, D), whose mean is :meth:`mean`."""
        freed = shapes - effect[0] * _CONTRAST - effect[1] * _SIZE
        plain = np.clip((freed - self.centre) / self.scale, -4, 4)
        waves = np.cos(plain @ self.frequency + self.phase)
        return np.asarray(np.sqrt(2 / len(self.phase)) * waves)


@dataclass(frozen=True)
class Embedding:
    """Class means seen through a lens.

    Parameters
    ----------
    lens
        How cells become features.
    means
        (K + 1, D) of each class, artefacts last.
    weight
        (D,) of each feature: what donors differ by in it counts against it.
    """

    lens: Lens
    means: np.ndarray
    weight: np.ndarray

    def shares(self, feature: np.ndarray, dirt: float) -> np.ndarray:
        """Shares of the leukocytes, (K,), of a specimen with this mean and share of artefacts."""
        kinds = len(self.means) - 1
        wanted = (feature - dirt * self.means[-1]) / max(1 - dirt, 0.05)
        root = np.sqrt(self.weight)
        design = np.vstack([(self.means[:-1] * root).T, np.full(kinds, _SUM_WEIGHT)])
        found, _residual = optimize.nnls(design, np.append(wanted * root, _SUM_WEIGHT))
        return np.asarray(found / found.sum()) if found.sum() > 0 else np.full(kinds, 1 / kinds)


def make_lens(shapes: np.ndarray) -> Lens:
    """A lens for cells like these, (n, F); the same cells give the same lens."""
    rng = np.random.default_rng(_SEED)
    centre = np.median(shapes, axis=0)
    scale = 1.4826 * np.median(np.abs(shapes - centre), axis=0) + 1e-3
    # The kernel's width: the typical distance of two cells, sqrt(2 F) for independent features.
    width = np.sqrt(2 * len(centre)) / 2
    frequency = rng.normal(0, 1 / width, (len(centre), NUMBERS))
    return Lens(centre, scale, frequency, rng.uniform(0, 2 * np.pi, NUMBERS))


def class_means_map(holds: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(K + 1, B) matrix that makes class means of specimens' mean features, ridge included."""
    weighted = holds * weights[:, None]
    penalty = _RIDGE * np.eye(holds.shape[1])
    solved = np.linalg.solve(holds.T @ weighted + penalty, weighted.T)
    # Ridge pulls towards the common mean, which is a mean of the same features.
    return np.asarray(solved + (1 - solved.sum(1, keepdims=True)) * weights / weights.sum())


def fit_embedding(
    lens: Lens, features: np.ndarray, holds: np.ndarray, weights: np.ndarray
) -> Embedding:
    """Class means by ridge regression towards the common mean.

    Parameters
    ----------
    features
        (B, D) mean features of specimens.
    holds
        (B, K + 1) what each holds, artefacts last, rows adding to 1.
    weights
        (B,) how much each specimen counts.
    """
    means = class_means_map(holds, weights) @ features
    variance = weights @ np.square(features - holds @ means) / weights.sum()
    return Embedding(lens, means, 1 / (variance + variance.mean()))
