"""May a candidate replace the champion? Decided on donors that neither has seen.

Every mixed specimen is predicted by the fold of the candidate that never saw its donor, and by the
champion likewise (its own fold, or the whole champion for donors that are new to it). The errors
are compared donor by donor: pairing takes away what makes a donor hard for any model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from cellcensus.settings import GateSettings


@dataclass(frozen=True, slots=True)
class Pairing:
    """Errors of both models for one specimen, in points, by class."""

    donor: str
    candidate: Mapping[str, float]
    champion: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision, its reasons in words and its figures."""

    accepted: bool
    reasons: list[str]
    figures: dict[str, Any]


def judge(pairs: Sequence[Pairing], classes: Sequence[str], settings: GateSettings) -> Verdict:
    """Accept a candidate that is not worse than the champion by more than the margin.

    Parameters
    ----------
    pairs
        One a mixed specimen that both models can predict without having seen its donor.
    settings
        Fewest donors, and how much worse it may be, in points: on the mean over classes the upper
        95 % limit of the paired difference must stay within the margin; a class is refused when
        even its lower limit is above the margin.
    """
    donors = sorted({pair.donor for pair in pairs})
    if len(donors) < settings.fewest_donors:
        return Verdict(
            False,
            [
                f"only {len(donors)} donors can be compared, {settings.fewest_donors} are needed; "
                "add mixed specimens of other donors"
            ],
            {"donors": len(donors)},
        )
    shared = [name for name in classes if all(name in p.candidate for p in pairs)]
    overall = _difference(pairs, donors, shared)
    by_class = {name: _difference(pairs, donors, [name]) for name in shared}
    reasons = []
    if overall["high"] > settings.margin_points:
        reasons.append(_worse("mean over classes", overall, settings.margin_points))
    reasons += [
        _worse(name, found, settings.class_margin_points)
        for name, found in by_class.items()
        if found["low"] > settings.class_margin_points
    ]
    figures = {"donors": len(donors), "overall": overall, "classes": by_class}
    if reasons:
        return Verdict(False, reasons, figures)
    return Verdict(True, [_not_worse(overall, len(donors))], figures)


def _difference(
    pairs: Sequence[Pairing], donors: Sequence[str], classes: Sequence[str]
) -> dict[str, float]:
    """Mean over donors of candidate − champion, in points, with its 95 % t interval."""
    values = {donor: [0.0, 0.0, 0] for donor in donors}
    for pair in pairs:
        entry = values[pair.donor]
        entry[0] += float(np.mean([pair.candidate[name] for name in classes]))
        entry[1] += float(np.mean([pair.champion[name] for name in classes]))
        entry[2] += 1
    table = np.array([(a / n, b / n) for a, b, n in values.values()])
    change = table[:, 0] - table[:, 1]
    half = stats.t.ppf(0.975, len(change) - 1) * change.std(ddof=1) / np.sqrt(len(change))
    return {
        "candidate": float(table[:, 0].mean()),
        "champion": float(table[:, 1].mean()),
        "change": float(change.mean()),
        "low": float(change.mean() - half),
        "high": float(change.mean() + half),
    }


def _worse(name: str, found: Mapping[str, float], margin: float) -> str:
    return (
        f"{name}: error {found['candidate']:.1f} points against {found['champion']:.1f} of the "
        f"champion; the change may be {found['low']:+.1f} to {found['high']:+.1f}, "
        f"{margin:.1f} is allowed"
    )


def _not_worse(found: Mapping[str, float], donors: int) -> str:
    return (
        f"mean error {found['candidate']:.1f} points against {found['champion']:.1f} of the "
        f"champion on {donors} held-out donors; change {found['low']:+.1f} to {found['high']:+.1f}"
    )
