"""What more donors, more cells or more purified specimens would bring.

Training again and again on parts of a study takes hours; the kernel mean embedding of the very same
bags is fitted in a moment. So the shape of the learning curve is the embedding's, over donors left
out, with the fit e(M)² = e_inf² + tau² / M; its height is the held-out error of the networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from models.capacity import capacity_curve
from models.embedding import Lens, fit_embedding
from models.intervals import FEWEST_FOR_CONFORMAL, LEVEL

_FEWEST_DONORS, _REPEATS, _SEED = 6, 12, 3
_TO_ABSOLUTE = np.sqrt(2 / np.pi)  # mean absolute error of a normal error, in standard deviations


@dataclass(frozen=True)
class Lessons:
    """What the embedding learns from.

    Parameters
    ----------
    lens
        How cells become features.
    features, holds, known, donors
        Of mixed specimens: (B, D) mean features, (B, K + 1) what they hold, (B, K) the analyser's
        shares, and (B,) the number of the donor.
    pure_features, pure_holds, pure_weights
        Of purified and blank specimens.
    """

    lens: Lens
    features: np.ndarray
    holds: np.ndarray
    known: np.ndarray
    donors: np.ndarray
    pure_features: np.ndarray
    pure_holds: np.ndarray
    pure_weights: np.ndarray


@dataclass(frozen=True)
class Curve:
    """Error against donors: points (M, error), and the fit e² = floor² + slope² / M; in points."""

    points: tuple[tuple[int, float, float, float], ...]  # donors, error, low, high
    floor: float
    slope: float

    def at(self, donors: float) -> float:
        """Mean absolute error expected with so many donors."""
        return float(np.sqrt(self.floor**2 + self.slope**2 / max(donors, 1.0)))


def learning_curve(lessons: Lessons) -> Curve | None:
    """Leave-donors-out error of the embedding against the number of donors it learned from."""
    donors = np.unique(lessons.donors)
    if len(donors) < _FEWEST_DONORS:
        return None
    rng = np.random.default_rng(_SEED)
    # A third is left out at least: an error over one or two donors would be noise.
    most = len(donors) - max(2, len(donors) // 3)
    sizes = np.unique(np.round(np.geomspace(3, most, 6)).astype(int))
    points, errors = [], []
    for size in sizes:
        found = [_error(lessons, rng.permutation(donors)[:size]) for _ in range(_REPEATS)]
        low, high = np.quantile(found, [0.1, 0.9])
        points.append((int(size), float(np.mean(found)), float(low), float(high)))
        errors.append(np.mean(np.square(found)))
    floor, slope = _fit(sizes.astype(float), np.array(errors))
    return Curve(tuple(points), floor, slope)


def _error(lessons: Lessons, chosen: np.ndarray, pure: np.ndarray | None = None) -> float:
    """Mean absolute error (points) over the donors that are not chosen."""
    mine = np.isin(lessons.donors, chosen)
    keep = np.ones(len(lessons.pure_holds), bool) if pure is None else pure
    embedding = fit_embedding(
        lessons.lens,
        np.concatenate([lessons.features[mine], lessons.pure_features[keep]]),
        np.concatenate([lessons.holds[mine], lessons.pure_holds[keep]]),
        np.concatenate([np.ones(mine.sum()), lessons.pure_weights[keep]]),
    )
    rest = np.nonzero(~mine)[0]
    found = [embedding.shares(lessons.features[i], lessons.holds[i, -1]) for i in rest]
    return float(100 * np.abs(np.array(found) - lessons.known[rest]).mean())


def _fit(donors: np.ndarray, squared: np.ndarray) -> tuple[float, float]:
    """Floor and slope, neither negative, by least squares on e² against 1 / M."""
    inverse = 1 / donors
    slope = float(np.polyfit(inverse, squared, 1)[0])
    slope = max(slope, 0.0)
    floor = max(float(np.mean(squared - slope * inverse)), 0.0)
    return float(np.sqrt(floor)), float(np.sqrt(slope))


def purified_gain(lessons: Lessons) -> float | None:
    """Error with one purified specimen a class over that with all; ``None``: there are no more."""
    main = lessons.pure_holds.argmax(1)
    first = np.array([np.flatnonzero(main == kind)[0] for kind in np.unique(main)])
    donors = np.unique(lessons.donors)
    if len(first) == len(main) or len(donors) < _FEWEST_DONORS:
        return None
    keep = np.isin(np.arange(len(main)), first)
    rng = np.random.default_rng(_SEED)
    splits = [rng.permutation(donors)[: 2 * len(donors) // 3] for _ in range(_REPEATS)]
    few = np.mean([_error(lessons, split, keep) for split in splits])
    all_of_them = np.mean([_error(lessons, split) for split in splits])
    return float(few / np.maximum(all_of_them, 1e-9))


@dataclass(frozen=True)
class HeldOutErrors:
    """Held-out shares found and known, (B, K), the analyser's sd, leukocytes (B,), and names."""

    classes: tuple[str, ...]
    found: np.ndarray
    known: np.ndarray
    sd: np.ndarray
    cells: np.ndarray

    def parts(self) -> tuple[np.ndarray, np.ndarray]:
        """Variance (K,) of sampling and of the model, in squared points."""
        sampling = self.known * (1 - self.known) / np.maximum(self.cells, 1)[:, None]
        gap = np.square(self.found - self.known) - sampling - np.square(self.sd)
        return 1e4 * np.nanmean(sampling, 0), 1e4 * np.maximum(np.nanmean(gap, 0), 0)


def make_plan(errors: HeldOutErrors, lessons: Lessons | None, donors: int) -> dict[str, Any]:
    """Everything the planner says, as JSON values; errors in points, against the donor's blood."""
    rows = np.isfinite(errors.known).all(1) & np.isfinite(errors.found).all(1)
    plan: dict[str, Any] = {"donors": donors, "guarantee": guarantee(donors)}
    curve = learning_curve(lessons) if lessons is not None else None
    if rows.sum() < _FEWEST_DONORS or curve is None or lessons is None:
        return {**plan, "said": f"{donors} mixed donors are too few to plan from; film 6 or more."}
    sampling, model = errors.parts()

    def expected(cells: float = 1.0, factor: float = 1.0) -> list[float]:
        each = _TO_ABSOLUTE * np.sqrt(sampling / cells + model * factor)
        return [round(float(v), 3) for v in each]

    now = curve.at(donors)
    change = {"now": expected()}
    for more in (donors // 2, donors, 3 * donors):
        change[f"{more} more donors"] = expected(factor=(curve.at(donors + more) / now) ** 2)
    change["twice the cells"] = expected(cells=2.0)
    change["five times the cells"] = expected(cells=5.0)
    gain = purified_gain(lessons)
    if gain is not None:
        # One specimen a class costs gain − 1; twice as many as now bring half of that again.
        change["twice the purified specimens"] = expected(factor=(1 / (1 + (gain - 1) / 2)) ** 2)
    height = float(np.mean(change["now"])) / now
    return {
        **plan,
        "curve": [[m, round(height * e, 3), round(height * low, 3), round(height * high, 3)]
                  for m, e, low, high in curve.points],
        "fit": {"floor": round(height * curve.floor, 3), "slope": round(height * curve.slope, 3)},
        "expected": change,
        "capacity": capacity_curve(lessons.features, lessons.known, lessons.donors),
        "wanted": _wanted(errors.classes, errors.known[rows], model),
    }  # fmt: skip


def _wanted(classes: tuple[str, ...], known: np.ndarray, model: np.ndarray) -> dict[str, Any]:
    """The composition that would teach most.

    Rich in the class whose error is largest for its share: a class's error falls as the spread of
    its share among donors grows.
    """
    spread = 100 * known.std(0)
    worst = int(np.argmax(np.sqrt(model) / np.maximum(np.sqrt(known.mean(0)), 0.05)))
    return {
        "cell_class": classes[worst],
        "share": round(float(min(2 * known[:, worst].max(), 0.6)), 3),
        "largest_so_far": round(float(known[:, worst].max()), 3),
        "spread_points": round(float(spread[worst]), 2),
    }


def guarantee(donors: int) -> str:
    """What a conformal bound over so many donors can promise, in words."""
    if donors < 1:
        return "No mixed donor was held out: no interval is backed by a measurement."
    promised = donors / (donors + 1)
    if donors >= FEWEST_FOR_CONFORMAL:
        return (
            f"{donors} held-out donors: a {100 * LEVEL:.0f} % interval can be promised for a new "
            f"donor of the same kind, whatever the errors' shape; at most {100 * promised:.0f} %."
        )
    return (
        f"{donors} held-out donors can promise {100 * promised:.0f} % at most, whatever the "
        f"errors' shape; {FEWEST_FOR_CONFORMAL - donors} more are needed for {100 * LEVEL:.0f} %."
    )
