"""How the error of donors that were not learned from fell as training went on.

Looked at four times in each stage of training, so that a person sees what purified specimens alone
would give, what the totals of mixed ones bring, and whether training was long enough. The shares
are the network's mean posteriors, freed of its recoveries: no calibration, no choice of a method.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch

from models.augment import to_contrast
from models.device import mixed_precision
from models.losses import specimen_fractions
from models.shelf import Shelf

Stage = Literal["purified", "mixed"]
#: Cells of a specimen that are looked at: their sampling averages out over specimens.
WATCHED_CELLS = 150
_PARTS = (0.25, 0.5, 0.75, 1.0)


@dataclass
class Course:
    """Errors of left-out specimens by stage and by how much of the stage was done.

    Parameters
    ----------
    errors
        (stage, part) → mean absolute error of each specimen, in shares.
    """

    errors: dict[tuple[Stage, float], list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def begin(self) -> None:
        """Forget: training begins anew."""
        self.errors.clear()

    def after(
        self,
        step: tuple[int, int],
        stage: Stage,
        networks: tuple[torch.nn.Module, torch.Tensor, torch.Tensor],
        left_out: Sequence[Shelf],
    ) -> None:
        """Look, where a quarter of a stage has just been done.

        Parameters
        ----------
        step
            The number of the step that was done, from 1, and how many there are.
        networks
            What counts in the end (the running mean), its prior (K + 1,) and log recovery (K,).
        left_out
            Specimens that nothing is learned from.
        """
        done, steps = step
        part = {round(part * steps): part for part in _PARTS}.get(done)
        if part is None:
            return
        with torch.inference_mode():
            for shelf in left_out:
                error = _error(shelf, *networks)
                if error is not None:
                    self.errors[stage, part].append(error)

    def points(self) -> list[dict[str, Any]]:
        """``stage``, ``part`` and mean ``error`` (0–1), in the order of training."""
        stages: tuple[Stage, ...] = ("purified", "mixed")
        return [
            {"stage": stage, "part": part, "error": float(np.mean(self.errors[stage, part]))}
            for stage in stages
            for part in _PARTS
            if self.errors.get((stage, part))
        ]


def _error(
    shelf: Shelf, network: torch.nn.Module, prior: torch.Tensor, log_recovery: torch.Tensor
) -> float | None:
    """Mean absolute error of the known shares; ``None`` where none can be compared."""
    if shelf.fraction is None or shelf.known is None or shelf.relative or not len(shelf):
        return None
    pictures = to_contrast(shelf.pictures[:, :1])
    with mixed_precision(pictures.device):
        logits = network(pictures.contiguous(memory_format=torch.channels_last)).float()
    mean = (logits + prior.log()).softmax(1).mean(0, keepdim=True)
    gap = (specimen_fractions(mean, log_recovery)[0] - shelf.fraction).abs()
    return float(gap[shelf.known].mean()) if shelf.known.any() else None
