"""What every part of one training shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch

from cellcensus.settings import CompositionSettings, TrainingSettings
from models.augment import Spread
from models.course import Course
from models.learnables import Material
from models.team import ALONE, Team


@dataclass(frozen=True)
class Job:
    """One training.

    Parameters
    ----------
    material
        What is learned from.
    folds
        The fold of each donor of mixed specimens.
    settings, composition
        How to train, and how held-out specimens are predicted.
    device
        Where it runs.
    tick
        Called once a step.
    spread
        How widely looks are drawn in augmentation.
    team
        The processes that train together.
    course
        What is noted of specimens that are left out, as training goes on.
    """

    material: Material
    folds: Mapping[str, int]
    settings: TrainingSettings
    composition: CompositionSettings
    device: torch.device
    tick: Callable[[], None]
    spread: Spread
    team: Team = ALONE
    course: Course = field(default_factory=Course)

    @property
    def fold_count(self) -> int:
        """How many folds; 0 without mixed specimens."""
        return max(self.folds.values(), default=-1) + 1

    def outside(self, fold: int) -> list[int]:
        """Numbers of the mixed bags whose donors are not in this fold."""
        of = self.material.donor
        return [i for i in self.material.mixed if self.folds[of(i)] != fold]

    def inside(self, fold: int) -> list[int]:
        """Numbers of the mixed bags whose donors are in this fold: its network never sees them."""
        return [i for i in self.material.mixed if self.folds[self.material.donor(i)] == fold]

    def purified_outside(self, fold: int) -> list[int]:
        """Numbers of the purified bags whose donors are not in this fold."""
        of = self.material.donor
        return [i for i in self.material.purified if self.folds.get(of(i)) != fold]

    def shares_donors(self) -> bool:
        """Whether a donor gave both a purified and a mixed specimen."""
        return any(self.material.donor(i) in self.folds for i in self.material.purified)
