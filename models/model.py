"""What training makes and what prediction gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import torch

    from models.composition import Calibration
    from models.drift import UsualLook
    from models.intervals import Errors
    from models.normalise import ClassLooks
    from models.novelty import Familiar
    from models.recovery import Recovery

UNCLASSIFIED, ARTEFACT = -1, -2


@dataclass(frozen=True)
class Prediction:
    """The composition of one specimen; see the field notes.

    Parameters
    ----------
    specimen_id, classes
        Which specimen, in which reporting order.
    cells
        Unique cells in it, artefacts excluded.
    counts
        (K,) cells of each class among them; the rest of ``cells`` is unclassified.
    fraction, fraction_low, fraction_high
        (K,) shares of the donor's leukocytes, adding to 1, with 95 % interval.
    per_ul, per_ul_low, per_ul_high
        (K,) cells per µL of blood with 95 % interval; NaN: cannot be said.
    total_per_ul, total_per_ul_low, total_per_ul_high
        All leukocytes per µL of blood, likewise.
    cell_class
        (n,) int8 class of every cell of the bag; −1 unclassified, −2 artefact.
    probability
        (n,) float32 of that class.
    flags
        Stable words, for example ``unclassified_over_5_percent``.
    method
        Which of the composition methods reported.
    details
        JSON values: what every method says, and how the intervals come about.
    """

    specimen_id: str
    classes: tuple[str, ...]
    cells: int
    counts: np.ndarray
    fraction: np.ndarray
    fraction_low: np.ndarray
    fraction_high: np.ndarray
    per_ul: np.ndarray
    per_ul_low: np.ndarray
    per_ul_high: np.ndarray
    total_per_ul: float
    total_per_ul_low: float
    total_per_ul_high: float
    cell_class: np.ndarray
    probability: np.ndarray
    flags: tuple[str, ...]
    method: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Member:
    """One fold's network with all it learned; nothing in it knows its fold's donors.

    Parameters
    ----------
    weights
        Of the network.
    prior
        (K + 1,) reference prior of its posteriors, artefacts last.
    looks
        Its normalisation.
    log_recovery
        (K,) how much more of each class is seen than is in the blood.
    """

    weights: Mapping[str, torch.Tensor]
    prior: np.ndarray
    looks: ClassLooks
    log_recovery: np.ndarray


@dataclass(frozen=True)
class Model:
    """A trained model: networks of the donor folds and all that was fitted on held-out donors.

    Parameters
    ----------
    classes
        The reporting order.
    members
        The networks of the folds.
    width
        Channels of the networks' first layer.
    prior
        (K + 1,) reference prior of the posteriors, artefacts last.
    calibration, errors, recovery, familiar, look
        What composition, intervals, concentrations, novelty and drift learned.
    window_um
        What a crop showed; others are brought to it.
    card
        JSON values for people: what it was trained on, how well it does, where not to use it.
    held_out
        Predictions of every mixed specimen by the network that never saw its donor.
    """

    classes: tuple[str, ...]
    members: tuple[Member, ...]
    width: int
    prior: np.ndarray
    calibration: Calibration
    errors: Errors
    recovery: Recovery
    familiar: Familiar
    look: UsualLook
    window_um: float | None = None
    card: dict[str, Any] = field(default_factory=dict)
    held_out: tuple[Prediction, ...] = ()
