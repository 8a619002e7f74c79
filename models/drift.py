"""Whether an instrument has changed: a specimen's common look against what it is in donors.

All plain features together (Mahalanobis), since an instrument changes them in another relation
than donors do: cells that are larger and no paler stand out sooner than in size alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from models.common import class_middles, common_look

_FEWEST_LOOKS, _SMALLEST_LOOK, _FARTHEST_LOOK = 8, 0.01, 3.0


@dataclass(frozen=True)
class UsualLook:
    """What is common to the cells of an ordinary specimen; C classes, F plain features.

    Parameters
    ----------
    middle
        (C, F) median of each class; NaN: never seen.
    centre, precision
        (F,) what is common to a specimen's cells, and (F, F) the inverse covariance of donors in
        it, with what is not known of it from few donors; empty where too few were seen to say.
    """

    middle: np.ndarray
    centre: np.ndarray = field(default_factory=lambda: np.zeros(0))
    precision: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))


def learn_look(
    shapes: Sequence[np.ndarray],
    labels: Sequence[np.ndarray],
    classes: int,
    *,
    dirt: Sequence[np.ndarray] = (),
) -> UsualLook:
    """Learn from specimens.

    Parameters
    ----------
    shapes, labels
        Of each specimen: (n, F) plain features, (n,) most probable class, 0 … C − 1, as told by
        networks that did not see its donor.
    classes
        C, artefacts last.
    dirt
        (n, F) features of blank specimens, which hold artefacts alone.
    """
    shapes = [np.asarray(part, float) for part in shapes]
    extra = [np.asarray(part, float) for part in dirt]
    marks = [np.full(len(part), classes - 1) for part in extra]
    middle, _free, _every = class_middles([*shapes, *extra], [*labels, *marks], classes)
    pairs = zip(shapes, labels, strict=True)
    looks = [look for pair in pairs if (look := common_look(*pair, middle)) is not None]
    return UsualLook(middle, *_usual_looks(looks))


def drift(usual: UsualLook, shapes: np.ndarray, labels: np.ndarray) -> float:
    """How far a specimen's common look is from that of donors, in standard deviations.

    Focus, stain, magnification. 0 where it cannot be said.
    """
    look = common_look(np.asarray(shapes, float), labels, usual.middle)
    if look is None or not len(usual.centre):
        return 0.0
    apart = look - usual.centre
    return float(np.sqrt(apart @ usual.precision @ apart))


def _usual_looks(looks: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    if len(looks) < _FEWEST_LOOKS:
        return np.zeros(0), np.zeros((0, 0))
    stacked = np.array(looks)
    donors, width = stacked.shape
    centre = np.median(stacked, axis=0)
    # One specimen of another day must not widen what is usual: the middle of the deviations.
    robust = 1.4826 * np.median(np.abs(stacked - centre), axis=0)
    spread = np.sqrt((np.square(robust) + np.square(stacked.std(axis=0, ddof=1))) / 2)
    spread = np.maximum(spread, _SMALLEST_LOOK)
    apart = np.clip((stacked - centre) / spread, -_FARTHEST_LOOK, _FARTHEST_LOOK)
    doubt = width / (width + 3 * donors)
    together = (1 - doubt) * apart.T @ apart / donors + doubt * np.eye(width)
    # A new donor is farther off than those the covariance was made from.
    together *= 1 + (width + 1) / donors
    return centre, np.linalg.inv(together * np.outer(spread, spread))
