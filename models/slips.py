"""Which slip of the pen would explain a row of the sheet that does not fit.

A wrong value of one class changes the shares of all of them, so the class that fits worst need not
be the one that is wrong. Slips are tried in turn, and the one after which the row fits best is
named; a slip that happens easily goes before a value that is just wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.intervals import transform

_DEGREES = 4.0
# What a value that is simply free must fit better by than a slip with nothing to choose, in log
# likelihood: it can be anything.
_FREE = 3.0


@dataclass(frozen=True)
class Slip:
    """What seems to have happened.

    Parameters
    ----------
    kind
        ``tenfold``, ``tenth`` (a decimal point), ``exchanged`` (two columns), ``value``.
    column
        The class.
    other
        The class it was exchanged with.
    """

    kind: str
    column: int
    other: int | None = None


def explain(found: np.ndarray, stated: np.ndarray, scale: np.ndarray) -> tuple[Slip, float]:
    """The slip after which a row fits best, and how much better it fits, in log likelihood.

    Parameters
    ----------
    found, stated
        (K,) shares by the cells and by the sheet; NaN where not known.
    scale
        (K,) usual deviation of the two on the transformed scale.
    """
    tried = _slips(found, stated)
    costs = [_misfit(found, mended, scale) + price for _slip, mended, price in tried]
    best = int(np.argmin(costs))
    return tried[best][0], _misfit(found, stated, scale) - costs[best]


def _slips(found: np.ndarray, stated: np.ndarray) -> list[tuple[Slip, np.ndarray, float]]:
    """Slip, the shares that would have been meant, and what it costs to believe in it."""
    known = [int(k) for k in np.nonzero(np.isfinite(stated))[0]]
    tried: list[tuple[Slip, np.ndarray, float]] = []
    for k in known:
        tried.append((Slip("value", k), _freed(found, stated, k), _FREE))
        for kind, factor in (("tenfold", 0.1), ("tenth", 10.0)):
            tried.append((Slip(kind, k), _scaled(stated, k, factor), 0.0))
        for other in (one for one in known if one > k):
            changed = stated.copy()
            changed[[k, other]] = changed[[other, k]]
            tried.append((Slip("exchanged", k, other), changed, 0.0))
    return tried


def _scaled(stated: np.ndarray, k: int, factor: float) -> np.ndarray:
    """Shares were the value of one class another one."""
    changed = stated.copy()
    changed[k] *= factor
    whole = np.nansum(stated)
    return np.asarray(changed * whole / max(np.nansum(changed), 1e-9))


def _freed(found: np.ndarray, stated: np.ndarray, k: int) -> np.ndarray:
    """Shares were the value of one class just what the cells say."""
    rest = np.nansum(stated) - stated[k]
    share = min(float(found[k]), 0.999)
    changed = stated * (np.nansum(stated) - share) / max(rest, 1e-9)
    changed[k] = share
    return np.asarray(changed)


def _misfit(found: np.ndarray, stated: np.ndarray, scale: np.ndarray) -> float:
    apart = (transform(found) - transform(stated)) / scale
    return float(np.nansum((_DEGREES + 1) / 2 * np.log1p(np.square(apart) / _DEGREES)))
