"""How the cells of a class, a donor and a preparation look, as numbers.

Classes overlap on purpose: sizes, stains and numbers of lobes are spread so that no classifier can
tell every cell, and what purification does moves a class onto another class of ordinary blood.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

Nucleus = Literal["lobes", "round", "kidney", "hidden"]


@dataclass(frozen=True)
class Look:
    """Mean look of a class; absorptions are shares of the light taken away."""

    diameter_um: float
    diameter_sd: float
    nucleus: Nucleus
    lobes: tuple[int, int]  # fewest, most
    fill: float  # nucleus diameter / cell diameter
    nucleus_absorption: float
    cytoplasm_absorption: float
    granularity: float  # spread of the cytoplasm's absorption
    grain_um: float
    roughness: float  # of the outline


LOOKS: dict[str, Look] = {
    "neutrophil": Look(11.4, 1.0, "lobes", (2, 5), 0.34, 0.68, 0.20, 0.035, 0.5, 0.025),
    "lymphocyte": Look(8.8, 1.3, "round", (1, 1), 0.84, 0.66, 0.27, 0.02, 0.8, 0.02),
    "monocyte": Look(12.8, 1.7, "kidney", (1, 1), 0.66, 0.58, 0.27, 0.045, 1.0, 0.045),
    "eosinophil": Look(11.8, 1.0, "lobes", (2, 3), 0.38, 0.64, 0.37, 0.07, 0.8, 0.02),
    "basophil": Look(10.3, 1.1, "hidden", (2, 3), 0.42, 0.62, 0.42, 0.15, 0.7, 0.045),
    "intruder": Look(14.5, 2.0, "round", (1, 1), 0.8, 0.5, 0.3, 0.03, 0.9, 0.03),
}
SPARE = tuple(LOOKS)


def looks_of(classes: tuple[str, ...]) -> dict[str, Look]:
    """A look for each class; names without one of their own get those not in use, in order."""
    spare = iter(name for name in SPARE if name not in classes)
    return {name: LOOKS[name] if name in LOOKS else LOOKS[next(spare)] for name in classes}


@dataclass(frozen=True)
class Preparation:
    """What all cells of one specimen have in common: donor, stain, focus, chemistry."""

    size: float = 1.0
    contrast: float = 1.0
    nucleus: float = 1.0
    cytoplasm: float = 1.0
    granularity: float = 1.0
    nucleus_size: float = 1.0
    blur_um: float = 0.25


def prepare(
    rng: np.random.Generator, *, donor: float, purified: bool, chemistry: float
) -> Preparation:
    """Draw a specimen's preparation.

    Parameters
    ----------
    rng
        Source of chance.
    donor, chemistry
        Strengths: 1 is usual, 0 is none.
    purified
        Purification shrinks cells, takes stain away, softens outlines and grains.
    """
    blur = 0.22 + abs(rng.normal(0, 0.12)) * donor
    preparation = Preparation(
        size=float(np.exp(rng.normal(0, 0.03 * donor))),
        contrast=float(np.exp(rng.normal(0, 0.08 * donor))),
        nucleus=float(np.exp(rng.normal(0, 0.07 * donor))),
        cytoplasm=float(np.exp(rng.normal(0, 0.12 * donor))),
        granularity=float(np.exp(rng.normal(0, 0.15 * donor))),
        blur_um=blur,
    )
    if not purified:
        return preparation
    vary = float(np.exp(rng.normal(0, 0.15)))
    effect = chemistry * vary
    return replace(
        preparation,
        size=preparation.size * float(np.exp(-0.14 * effect)),
        nucleus=preparation.nucleus * float(np.exp(-0.22 * effect)),
        cytoplasm=preparation.cytoplasm * float(np.exp(-0.40 * effect)),
        granularity=preparation.granularity * float(np.exp(-0.5 * effect)),
        # Swollen nuclei: lobes run together.
        nucleus_size=float(np.exp(0.16 * effect)),
        blur_um=preparation.blur_um + 0.25 * effect,
    )
