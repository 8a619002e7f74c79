"""May a candidate replace the champion? Decided on donors that neither has seen.

Every specimen of known composition is predicted by the fold of the candidate that never saw its
donor, and by the champion likewise (its own fold, or the whole champion for donors that are new to
it). Both are compared donor by donor: pairing takes away what makes a donor hard for any model.

Two kinds of limits. The mean error must stay within its margin at the upper 95 % limit: doubt
counts against the candidate. All others (single classes, instruments, coverage, concentrations,
unclassified cells) refuse it when even the lower limit is beyond the margin: with twenty figures
looked at, chance alone would otherwise always find one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, nan
from typing import Any

import numpy as np

from cellcensus.settings import GateSettings


@dataclass(frozen=True, slots=True)
class Score:
    """How well one model did on one specimen.

    Parameters
    ----------
    errors
        Error of each class's fraction, in points.
    covered
        Whether the 95 % interval of each class holds the reference.
    total_error
        Error of the total concentration in percent of the reference; NaN where it is not known.
    unclassified
        Share of cells unlike any learned.
    """

    errors: Mapping[str, float]
    covered: Mapping[str, bool] = field(default_factory=dict)
    total_error: float = nan
    unclassified: float = nan


@dataclass(frozen=True, slots=True)
class Trial:
    """Both models on one specimen; ``verification`` of a donor that no training ever sees."""

    donor: str
    candidate: Score
    champion: Score
    instrument: str | None = None
    verification: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision, its reasons in words and its figures."""

    accepted: bool
    reasons: list[str]
    figures: dict[str, Any]


Difference = dict[str, float]
Measure = Callable[[Score], float]


def judge(
    trials: Sequence[Trial],
    classes: Sequence[str],
    limits: GateSettings,
    *,
    fewest_verification: int = 0,
) -> Verdict:
    """Accept a candidate that is not worse than the champion by more than the margins.

    Parameters
    ----------
    trials
        One a specimen that both models can predict without having seen its donor.
    limits
        Fewest donors, and how much worse each figure may be.
    fewest_verification
        Donors kept apart from all training that are needed; they are then judged on their own too.
    """
    lacking = _lacking(trials, limits.fewest_donors, fewest_verification)
    if lacking:
        return Verdict(False, [lacking], {"donors": len({trial.donor for trial in trials})})
    shared = [name for name in classes if all(name in t.candidate.errors for t in trials)]
    groups = {"": list(trials)}
    if fewest_verification:
        groups["verification donors, "] = [trial for trial in trials if trial.verification]
    figures: dict[str, Any] = {"donors": len({trial.donor for trial in trials})}
    reasons: list[str] = []
    for group, chosen in groups.items():
        found, against = _errors(chosen, shared, limits, group)
        figures |= found if not group else {"verification": found}
        reasons += against
    for found, against in (_by_instrument(trials, shared, limits), _others(trials, limits)):
        figures |= found
        reasons += against
    if reasons:
        return Verdict(False, reasons, figures)
    return Verdict(True, [_not_worse(figures["overall"], figures["donors"])], figures)


def _lacking(trials: Sequence[Trial], fewest: int, fewest_verification: int) -> str:
    donors = {trial.donor for trial in trials}
    apart = {trial.donor for trial in trials if trial.verification}
    if len(donors) < fewest:
        return (
            f"only {len(donors)} donors can be compared, {fewest} are needed; "
            "add mixed specimens of other donors"
        )
    if len(apart) < fewest_verification:
        return (
            f"only {len(apart)} verification donors can be compared, the plan asks for "
            f"{fewest_verification}; add mixed specimens of donors new to the champion"
        )
    return ""


def _errors(
    trials: Sequence[Trial], classes: Sequence[str], limits: GateSettings, group: str
) -> tuple[dict[str, Any], list[str]]:
    overall = difference(trials, _mean_error(classes))
    by_class = {name: difference(trials, _mean_error([name])) for name in classes}
    reasons = []
    if overall["high"] > limits.margin_points:
        reasons.append(_worse(f"{group}mean over classes", overall, limits.margin_points))
    reasons += [
        _worse(f"{group}{name}", found, limits.class_margin_points)
        for name, found in by_class.items()
        if found["low"] > limits.class_margin_points
    ]
    return {"overall": overall, "classes": by_class}, reasons


def _by_instrument(
    trials: Sequence[Trial], classes: Sequence[str], limits: GateSettings
) -> tuple[dict[str, Any], list[str]]:
    names = sorted({trial.instrument for trial in trials if trial.instrument})
    found = {}
    for name in names:
        chosen = [trial for trial in trials if trial.instrument == name]
        if len({trial.donor for trial in chosen}) >= 3:  # fewer say nothing of an instrument
            found[name] = difference(chosen, _mean_error(classes))
    reasons = [
        _worse(f"instrument {name}", change, limits.instrument_margin_points)
        for name, change in found.items()
        if change["low"] > limits.instrument_margin_points
    ]
    return {"instruments": found}, reasons


def _others(trials: Sequence[Trial], limits: GateSettings) -> tuple[dict[str, Any], list[str]]:
    """Coverage, concentrations and unclassified cells, in percent: more is worse in each."""
    looked_at: dict[str, tuple[str, Measure, float]] = {
        "missed": ("intervals that miss", _missed, 100 * limits.coverage_margin),
        "total": ("error of the total", _total, limits.concentration_margin_percent),
        "unclassified": ("unclassified cells", _unclassified, 100 * limits.unclassified_margin),
    }
    figures, reasons = {}, []
    for key, (name, measure, margin) in looked_at.items():
        found = difference(trials, measure)
        if found:
            figures[key] = found
            if found["low"] > margin:
                reasons.append(_worse(name, found, margin, " %"))
    return figures, reasons


def _mean_error(classes: Sequence[str]) -> Measure:
    return lambda score: float(np.mean([score.errors[name] for name in classes]))


def _missed(score: Score) -> float:
    held = list(score.covered.values())
    return 100 * (1 - sum(held) / len(held)) if held else nan


def _total(score: Score) -> float:
    return abs(score.total_error)


def _unclassified(score: Score) -> float:
    return 100 * score.unclassified


def difference(trials: Sequence[Trial], measure: Measure) -> Difference:
    """Mean over donors of candidate − champion with its 95 % t interval; empty for too few."""
    by_donor: dict[str, list[tuple[float, float]]] = {}
    for trial in trials:
        pair = (measure(trial.candidate), measure(trial.champion))
        if isfinite(pair[0]) and isfinite(pair[1]):
            by_donor.setdefault(trial.donor, []).append(pair)
    if len(by_donor) < 2:
        return {}
    from scipy import stats  # a run that finds nothing to do judges nothing

    table = np.array([np.mean(pairs, axis=0) for pairs in by_donor.values()])
    change = table[:, 0] - table[:, 1]
    half = stats.t.ppf(0.975, len(change) - 1) * change.std(ddof=1) / np.sqrt(len(change))
    return {
        "candidate": float(table[:, 0].mean()),
        "champion": float(table[:, 1].mean()),
        "change": float(change.mean()),
        "low": float(change.mean() - half),
        "high": float(change.mean() + half),
    }


def _worse(name: str, found: Difference, margin: float, unit: str = " points") -> str:
    what = "error " if unit == " points" else ""
    return (
        f"{name}: {what}{found['candidate']:.1f}{unit} against {found['champion']:.1f} of the "
        f"champion; the change may be {found['low']:+.1f} to {found['high']:+.1f}, "
        f"{margin:.1f} is allowed"
    )


def _not_worse(found: Difference, donors: int) -> str:
    return (
        f"mean error {found['candidate']:.1f} points against {found['champion']:.1f} of the "
        f"champion on {donors} held-out donors; change {found['low']:+.1f} to {found['high']:+.1f}"
    )
