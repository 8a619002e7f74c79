"""Agreement of two methods that measured the same specimens: pure arrays in, numbers out.

Every function takes ``predicted`` and ``reference`` as (n,) arrays in the same unit, leaves out
pairs with a ``nan``, and answers ``nan`` where too few pairs are left to say anything.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

MINIMUM_PAIRS = 3
Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and its 95 % confidence interval."""

    value: float = nan
    low: float = nan
    high: float = nan


@dataclass(frozen=True, slots=True)
class BlandAltman:
    """Differences predicted − reference: their mean (bias) and the limits 95 % of them keep."""

    n: int
    bias: Figure
    lower: Figure
    upper: Figure
    sd: float


@dataclass(frozen=True, slots=True)
class Line:
    """predicted = intercept + slope × reference."""

    slope: Figure
    intercept: Figure


NO_LINE = Line(Figure(), Figure())


def bland_altman(predicted: ArrayLike, reference: ArrayLike) -> BlandAltman:
    """Bias and limits of agreement.

    Bias ± t·s/√n; limits bias ± 1.96·s, each ± t·s·√(1/n + 1.96²/(2(n−1))).

    References
    ----------
    Bland and Altman, Lancet 1986;327:307–310; Stat Methods Med Res 1999;8:135–160.
    """
    x, y = _complete(predicted, reference)
    n = len(x)
    if n < MINIMUM_PAIRS:
        return BlandAltman(n, Figure(), Figure(), Figure(), nan)
    difference = x - y
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    t = _t95(n - 1)
    of_bias = t * sd / sqrt(n)
    of_limit = t * sd * sqrt(1 / n + Z95**2 / (2 * (n - 1)))
    lower, upper = bias - Z95 * sd, bias + Z95 * sd
    return BlandAltman(
        n,
        Figure(bias, bias - of_bias, bias + of_bias),
        Figure(lower, lower - of_limit, lower + of_limit),
        Figure(upper, upper - of_limit, upper + of_limit),
        sd,
    )


def passing_bablok(predicted: ArrayLike, reference: ArrayLike) -> Line:
    """Line by the shifted median of all pairwise slopes; no assumption on the errors' distribution.

    Exchanging the two methods gives the inverse slope. ``nan`` if the ranks of the interval fall
    outside the slopes there are.

    References
    ----------
    Passing and Bablok, J Clin Chem Clin Biochem 1983;21:709–720.
    """
    y, x = _complete(predicted, reference)
    n = len(x)
    slopes = np.sort(_pairwise_slopes(x, y))
    if n < MINIMUM_PAIRS or len(slopes) < MINIMUM_PAIRS:
        return NO_LINE
    count, shift = len(slopes), int((slopes < -1).sum())
    middle = [(count - 1) // 2 + shift, count // 2 + shift]
    spread = Z95 * sqrt(n * (n - 1) * (2 * n + 5) / 18)
    first = round((count - spread) / 2)
    ranks = [first - 1 + shift, count - first + shift]
    slope = _mean_at(slopes, middle)
    low, high = _at(slopes, ranks[0], -np.inf), _at(slopes, ranks[1], np.inf)
    return Line(
        Figure(slope, low, high),
        Figure(_offset(x, y, slope), _offset(x, y, high), _offset(x, y, low)),
    )


def deming(
    predicted: ArrayLike,
    reference: ArrayLike,
    *,
    variance_ratio: float = 1.0,
    donors: Sequence[Hashable] | None = None,
) -> Line:
    """Line when both methods have errors; ``variance_ratio`` = that of predicted / reference.

    b = [Syy − L·Sxx + √((Syy − L·Sxx)² + 4·L·Sxy²)] / (2·Sxy). Standard errors by leaving out one
    donor at a time (one pair at a time where ``donors`` is not given).

    References
    ----------
    Linnet, Clin Chem 1993;39:424–432.
    """
    y, x = _complete(predicted, reference)
    if len(x) < MINIMUM_PAIRS:
        return NO_LINE
    groups = _groups(predicted, reference, donors)

    def fit(keep: NDArray[np.bool_]) -> Array:
        return np.array(_deming_line(x[keep], y[keep], variance_ratio))

    return _jackknife(fit, groups)


def concordance(predicted: ArrayLike, reference: ArrayLike) -> Figure:
    """Lin's concordance correlation 2·Sxy / (Sx² + Sy² + (mx − my)²), interval by Fisher's z.

    References
    ----------
    Lin, Biometrics 1989;45:255–268 (and its 2000 correction of the variance).
    """
    x, y = _complete(predicted, reference)
    n = len(x)
    if n <= MINIMUM_PAIRS:
        return Figure()
    sx, sy, shift = x.var(), y.var(), float(x.mean() - y.mean())
    sxy = float(((x - x.mean()) * (y - y.mean())).mean())
    if sx == 0 or sy == 0:
        return Figure()
    ccc, r = 2 * sxy / (sx + sy + shift**2), sxy / sqrt(sx * sy)
    if abs(ccc) >= 1 or r == 0:
        return Figure(float(ccc), float(ccc), float(ccc))
    u2 = shift**2 / sqrt(sx * sy)
    inside = 1 - ccc**2
    variance = (
        (1 - r**2) * ccc**2 / (inside * r**2)
        + 2 * ccc**3 * (1 - ccc) * u2 / (r * inside**2)
        - ccc**4 * u2**2 / (2 * r**2 * inside**2)
    ) / (n - 2)
    half = Z95 * sqrt(max(variance, 0.0))
    z = float(np.arctanh(ccc))
    return Figure(float(ccc), float(np.tanh(z - half)), float(np.tanh(z + half)))


def mean_absolute_error(predicted: ArrayLike, reference: ArrayLike) -> float:
    """Mean of |predicted − reference|; ``nan`` without pairs."""
    x, y = _complete(predicted, reference)
    return float(np.abs(x - y).mean()) if len(x) else nan


def largest_error(predicted: ArrayLike, reference: ArrayLike) -> float:
    """Largest |predicted − reference|; ``nan`` without pairs."""
    x, y = _complete(predicted, reference)
    return float(np.abs(x - y).max()) if len(x) else nan


def wilson(successes: int, trials: int) -> Figure:
    """A share with Wilson's 95 % interval; ``nan`` without trials.

    References
    ----------
    Wilson, J Am Stat Assoc 1927;22:209–212.
    """
    if trials < 1:
        return Figure()
    p, z2 = successes / trials, Z95**2
    centre = (p + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z95 * sqrt(p * (1 - p) / trials + z2 / (4 * trials**2)) / (1 + z2 / trials)
    return Figure(p, max(centre - half, 0.0), min(centre + half, 1.0))


def _complete(predicted: ArrayLike, reference: ArrayLike) -> tuple[Array, Array]:
    x, y = np.asarray(predicted, dtype=float), np.asarray(reference, dtype=float)
    both = np.isfinite(x) & np.isfinite(y)
    return x[both], y[both]


def _t95(degrees: int) -> float:
    from scipy.stats import t  # noqa: PLC0415  scipy.stats takes a second to import

    return float(t.ppf(0.975, degrees))


def _pairwise_slopes(x: Array, y: Array) -> Array:
    i, j = np.triu_indices(len(x), k=1)
    dx, dy = x[j] - x[i], y[j] - y[i]
    distinct = (dx != 0) | (dy != 0)
    with np.errstate(divide="ignore"):
        slopes = dy[distinct] / dx[distinct]
    # A vertical pair counts as +inf whichever point came first, so that order does not matter.
    slopes[np.isinf(slopes)] = np.inf
    return np.asarray(slopes[slopes != -1])


def _mean_at(ordered: Array, positions: list[int]) -> float:
    last = len(ordered) - 1
    return float(np.mean([ordered[min(p, last)] for p in positions]))


def _at(ordered: Array, position: int, otherwise: float) -> float:
    return float(ordered[position]) if 0 <= position < len(ordered) else otherwise


def _offset(x: Array, y: Array, slope: float) -> float:
    return float(np.median(y - slope * x)) if np.isfinite(slope) else nan


def _deming_line(x: Array, y: Array, ratio: float) -> tuple[float, float]:
    sxx, syy = float(x.var()), float(y.var())
    sxy = float(((x - x.mean()) * (y - y.mean())).mean())
    if sxy == 0:
        return nan, nan
    gap = syy - ratio * sxx
    slope = (gap + sqrt(gap**2 + 4 * ratio * sxy**2)) / (2 * sxy)
    return slope, float(y.mean() - slope * x.mean())


def _groups(
    predicted: ArrayLike, reference: ArrayLike, donors: Sequence[Hashable] | None
) -> list[NDArray[np.bool_]]:
    both = np.isfinite(np.asarray(predicted, float)) & np.isfinite(np.asarray(reference, float))
    names = list(donors) if donors is not None else list(range(len(both)))
    kept = [name for name, complete in zip(names, both, strict=True) if complete]
    return [np.array([other == name for other in kept]) for name in dict.fromkeys(kept)]


def _jackknife(fit: Callable[[NDArray[np.bool_]], Array], groups: list[NDArray[np.bool_]]) -> Line:
    everything = np.ones_like(groups[0])
    whole = fit(everything)
    m = len(groups)
    if m < MINIMUM_PAIRS or not np.isfinite(whole).all():
        return Line(Figure(whole[0]), Figure(whole[1]))
    pseudo = np.array([m * whole - (m - 1) * fit(~group) for group in groups])
    half = _t95(m - 1) * pseudo.std(axis=0, ddof=1) / sqrt(m)
    slope, intercept = (
        Figure(float(v), float(v - h), float(v + h)) for v, h in zip(whole, half, strict=True)
    )
    return Line(slope, intercept)
