"""Control charts: Levey–Jennings with Westgard's rules, and a moving average for patients' values.

Pure: numbers in, verdicts out. Values come in the order in which they were acquired.

References
----------
Levey and Jennings, Am J Clin Pathol 1950;20:1059–1066. Westgard, Barry, Hunt and Groth, Clin Chem
1981;27:493–501. Lucas and Saccucci, Technometrics 1990;32:1–12.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np

FIRST = 20
"""Values whose mean and standard deviation are the target: Westgard's usual minimum."""

FEWEST = 5
"""Below so many values a standard deviation says nothing, and nothing is judged."""

OUTLIER = 4.0
"""SD of the others beyond which a value is no part of a target. At 3, one in ten sound sets of 20
values would lose one, and limits would be too narrow."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One of Westgard's rules in words; ``rejects`` is false for the one that only warns.

    ``action`` is for a control specimen, ``of_recording`` for a quality figure of any recording.
    """

    code: str
    title: str
    meaning: str
    action: str
    of_recording: str
    rejects: bool = True


RULES: dict[str, Rule] = {
    rule.code: rule
    for rule in (
        Rule(
            "1-2s",
            "one value beyond 2 SD",
            "One in twenty values does so by chance.",
            "Look at the next control before anything is changed.",
            "Look at the next recording before anything is changed.",
            rejects=False,
        ),
        Rule(
            "1-3s",
            "one value beyond 3 SD",
            "A mistake with this control, or an error that comes and goes.",
            "Hold results. Mix and film the control again; if it stays, check focus, flow and "
            "dilution.",
            "Look at this recording; film it again if it is blurred, dirty or badly lit.",
        ),
        Rule(
            "2-2s",
            "two in a row beyond 2 SD on one side",
            "A shift: the instrument, the light or the reagent is different from before.",
            "Hold results. Check lamp, focus and dilution, then film a new control.",
            "Check lamp, focus and flow before the next recording.",
        ),
        Rule(
            "R-4s",
            "two in a row more than 4 SD apart",
            "Values scatter more than they should: mixing, clumps or an unsteady flow.",
            "Hold results. Mix well, clear the channel, and film the control twice.",
            "See that nothing moved or was changed between the two recordings.",
        ),
        Rule(
            "4-1s",
            "four in a row beyond 1 SD on one side",
            "A small shift that lasts.",
            "Plan maintenance; compare with the day it began: new lot, new lamp, new model?",
            "Plan maintenance; compare with the day it began: new lot, lamp or camera settings?",
        ),
        Rule(
            "10x",
            "ten in a row on one side of the mean",
            "A slow drift, or a target that fits no longer.",
            "Plan maintenance; if nothing is found, retrain, or judge from a later day on.",
            "Plan maintenance; if it was done and values stay, judge from that day on.",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Target:
    """Where values should lie: mean and standard deviation, and in words where these are from."""

    mean: float
    sd: float
    source: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of one value: its distance in SD, and the codes of the rules it breaks."""

    z: float
    rules: tuple[str, ...] = ()

    @property
    def rejected(self) -> bool:
        """Whether more than a warning is broken."""
        return any(RULES[code].rejects for code in self.rules)


def westgard(z: Sequence[float]) -> list[Verdict]:
    """Judge each value by the ones before it.

    Parameters
    ----------
    z
        Distances from the mean in standard deviations, oldest first. A ``nan`` is no value: it is
        not judged, and the values around it follow each other.

    Returns
    -------
    list of Verdict
        One a value. A rule that needs several is told at the last of them.
    """
    verdicts, before = [], list[float]()
    for value in z:
        if not isfinite(value):
            verdicts.append(Verdict(value))
            continue
        before.append(value)
        broken = tuple(code for code, breaks in _BROKEN.items() if breaks(before))
        # Beyond 3 SD is beyond 2 SD too: the warning adds nothing to a rejection.
        rejected = any(RULES[code].rejects for code in broken)
        verdicts.append(
            Verdict(value, tuple(code for code in broken if code != "1-2s" or not rejected))
        )
    return verdicts


def _beyond(values: Sequence[float], count: int, limit: float) -> bool:
    last = values[-count:]
    if len(last) < count:
        return False
    return all(v > limit for v in last) or all(v < -limit for v in last)


def _apart(values: Sequence[float]) -> bool:
    last = values[-2:]
    return len(last) == 2 and min(last) < -2 and max(last) > 2


_BROKEN: dict[str, Callable[[Sequence[float]], bool]] = {
    "1-2s": lambda values: abs(values[-1]) > 2,
    "1-3s": lambda values: abs(values[-1]) > 3,
    "2-2s": lambda values: _beyond(values, 2, 2),
    "R-4s": _apart,
    "4-1s": lambda values: _beyond(values, 4, 1),
    "10x": lambda values: _beyond(values, 10, 0),
}


def first_values(values: Sequence[float], first: int = FIRST) -> Target | None:
    """Target from the first values that were in control; ``None`` with fewer than five values.

    Of the first ``first`` values those more than 4 SD from the mean of the others are left out,
    one after another; mean and standard deviation of the rest are the target.
    """
    known = np.array([v for v in values if isfinite(v)][:first])
    if len(known) < FEWEST:
        return None
    kept = _in_control(known)
    out = len(known) - len(kept)
    text = f"mean and SD of the first {len(kept)} values in control"
    if out:
        text += f" ({out} left out)"
    if len(known) < first:
        text += f"; provisional until there are {first}"
    return Target(float(kept.mean()), float(kept.std(ddof=1)), text)


def known_value(
    values: Sequence[float], known: float, predicted_sd: Sequence[float], first: int = FIRST
) -> Target | None:
    """Target from a known composition: its value, with the spread of the first values in control.

    While there are fewer than five, the spread is that of the predictions' own intervals.

    Parameters
    ----------
    values
        Oldest first, in the unit of ``known``.
    predicted_sd
        Standard deviation that each prediction claims for itself (its 95 % interval / 3.92).
    """
    spread = first_values(values, first)
    if spread is not None:
        return Target(
            known,
            spread.sd,
            "the known composition; SD of " + spread.source.removeprefix("mean and SD of "),
        )
    claimed = [sd for sd in predicted_sd if isfinite(sd) and sd > 0]
    if not claimed:
        return None
    text = f"the known composition; SD from the predictions' own intervals until there are {FEWEST}"
    return Target(known, float(np.median(claimed)), text)


def distances(values: Sequence[float], target: Target) -> list[float]:
    """Distances of values from a target, in standard deviations; ``nan`` where there is none."""
    if target.sd <= 0:
        return [float("nan")] * len(values)
    return [(v - target.mean) / target.sd for v in values]


def _in_control(values: np.ndarray) -> np.ndarray:
    kept = values
    while len(kept) > FEWEST:
        gaps = np.abs(kept - kept.mean())
        worst = int(gaps.argmax())
        others = np.delete(kept, worst)
        if abs(kept[worst] - others.mean()) <= OUTLIER * others.std(ddof=1):
            break
        kept = others
    return kept


@dataclass(frozen=True, slots=True)
class Moving:
    """A moving average at one value, with its control limits."""

    average: float
    low: float
    high: float

    @property
    def out(self) -> bool:
        """Whether it is beyond its limits."""
        return not self.low <= self.average <= self.high


WEIGHT, WIDTH = 0.2, 3.0


def moving_average(values: Sequence[float], target: Target) -> list[Moving]:
    """Exponentially weighted moving average: patients differ, but their average does not.

    zᵢ = λ·xᵢ + (1 − λ)·zᵢ₋₁, z₀ the target; limits ± 3·s·√(λ/(2 − λ)·(1 − (1 − λ)²ⁱ)), λ = 0.2.
    A ``nan`` leaves the average as it is.
    """
    average, seen, found = target.mean, 0, []
    for value in values:
        if isfinite(value):
            seen += 1
            average = WEIGHT * value + (1 - WEIGHT) * average
        share = WEIGHT / (2 - WEIGHT) * (1 - (1 - WEIGHT) ** (2 * seen))
        half = WIDTH * target.sd * sqrt(share)
        found.append(Moving(average, target.mean - half, target.mean + half))
    return found
