"""Quantifiers of QuaPy on our posteriors; needs the extra ``bench``.

They need labelled cells to learn from. What a study has of that kind are its purified specimens,
so each of their cells is taken for its specimen's class, equally many of each.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import softmax

from benchmarks.compose import Composed
from models.device import choose_device, threads
from models.evidence import build_network, gather
from models.model import Model

NAMES = ("EMQ", "PACC", "KDEyML")
_CELLS, _SEED = 300, 5


def available() -> bool:
    """Whether QuaPy is installed."""
    return importlib.util.find_spec("quapy") is not None


def quantify(
    study: Composed, model: Model, logits: Mapping[str, np.ndarray]
) -> dict[str, dict[str, np.ndarray]]:
    """Shares (K,) by quantifier and specimen.

    Parameters
    ----------
    logits
        (M, n, K + 1) of each specimen to be predicted.
    """
    posteriors, labels = _purified(study, model)
    found: dict[str, dict[str, np.ndarray]] = {name: {} for name in NAMES}
    for name in NAMES:
        quantifier = _make(name, len(model.classes))
        quantifier.fit(posteriors, labels)
        for specimen, told in logits.items():
            found[name][specimen] = np.asarray(quantifier.predict(_even(told)))
    return found


def _even(logits: np.ndarray) -> np.ndarray:
    """Posteriors of the cells under an even prior, artefacts left out, (n, K)."""
    mean = logits.mean(0)
    cells = mean[mean.argmax(1) < mean.shape[1] - 1, :-1]
    return np.asarray(softmax(cells.astype(float), axis=1))


def _purified(study: Composed, model: Model) -> tuple[np.ndarray, np.ndarray]:
    rng, device = np.random.default_rng(_SEED), choose_device()
    pairs = [(m, build_network(m, model.width, device)) for m in model.members]
    rows: dict[int, list[np.ndarray]] = {}
    with threads(1):
        for bag in study.training:
            if bag.known.role == "purified":
                told = gather(pairs, bag.crops[:_CELLS], model.prior, views=1, device=device)
                k = model.classes.index(str(bag.known.cell_class))
                rows.setdefault(k, []).append(_even(told.logits))
    each = {k: rng.permutation(np.concatenate(parts)) for k, parts in rows.items()}
    number = min(_CELLS, *(len(part) for part in each.values()))
    return (
        np.concatenate([each[k][:number] for k in sorted(each)]),
        np.repeat(sorted(each), number),
    )


def _make(name: str, classes: int) -> Any:
    from quapy.method import aggregative
    from sklearn.base import BaseEstimator

    class Given(BaseEstimator):  # type: ignore[misc]
        """A classifier whose posteriors are what it is given."""

        def __init__(self) -> None:
            self.classes_ = np.arange(classes)

        def fit(self, _x: np.ndarray, _y: np.ndarray) -> Given:
            return self

        def predict_proba(self, x: np.ndarray) -> np.ndarray:
            return x

        def predict(self, x: np.ndarray) -> np.ndarray:
            return np.asarray(x.argmax(1))

    kind = getattr(aggregative, name)
    return kind(Given(), fit_classifier=False)
