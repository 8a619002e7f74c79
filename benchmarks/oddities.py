"""What should not be there: strange cells, a class left out, drift, and slips in the sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from benchmarks import compose as making
from benchmarks.compose import CLASSES, Composed, Crops, Parting, Regime, compose
from cellcensus.settings import TrainingSettings
from models.bag import Bag, Known
from models.folds import split_donors
from models.learnables import collect

_CENTRE = making.CANVAS / 2
Distortion = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def stretch(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Twice as long as wide, in some direction."""
    turn = cv2.getRotationMatrix2D((_CENTRE, _CENTRE), float(rng.uniform(0, 360)), 1.0)
    turned = cv2.warpAffine(picture, turn, picture.shape)
    longer = np.array([[1.5, 0, -0.5 * _CENTRE], [0, 0.7, 0.3 * _CENTRE]], np.float32)
    return np.asarray(cv2.warpAffine(turned, longer, picture.shape))


def enlarge(picture: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    """Half as large again."""
    larger = cv2.getRotationMatrix2D((_CENTRE, _CENTRE), 0, 1.5)
    return np.asarray(cv2.warpAffine(picture, larger, picture.shape))


def cut(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Half a cell."""
    y, x = np.mgrid[: making.CANVAS, : making.CANVAS] - _CENTRE
    angle = rng.uniform(0, 2 * np.pi)
    return np.asarray(picture * (x * np.cos(angle) + y * np.sin(angle) > 0), np.float32)


DISTORTIONS: tuple[Distortion, ...] = (stretch, enlarge, cut)


@dataclass
class Film:
    """What specimens to be tested are made with; ``parting``: who shows which pictures."""

    crops: Crops
    platelets: Crops
    counts: np.ndarray
    rng: np.random.Generator
    regime: Regime
    parting: Parting | None

    def specimen(self, name: str, kind: str = "", share: float = 0.0, without: str = "") -> Bag:
        """An ordinary specimen, a share of whose cells is replaced by strange ones.

        Parameters
        ----------
        kind
            ``platelet``, ``distorted`` or a class.
        without
            A class that the ordinary part has no cell of.
        """
        rng, regime = self.rng, self.regime
        even = np.ones(len(CLASSES))
        bench = making._Bench(self.crops, self.counts, regime, rng, even, self.parting)
        blood = np.maximum(self.counts[rng.integers(len(self.counts))], 5.0)
        if without:
            blood = np.where(np.array(CLASSES) == without, 0.0, blood)
        look = making._look(regime, rng)
        bag, _labels = making._film(
            bench,
            (name, Known("unknown")),
            blood / blood.sum(),
            look=look,
            per_ul=float(blood.sum()),
        )
        number = round(share * len(bag))
        if not number:
            return bag
        pictures = np.stack([self._strange(kind) for _ in range(number)])
        views = making._render(pictures, look, rng, regime.views)
        return replace(bag, crops=np.concatenate([views, bag.crops[number:]]))

    def _strange(self, kind: str) -> np.ndarray:
        rng = self.rng
        if kind == "platelet":
            stock = [p for (_n, pool), ps in self.platelets.pools.items() if pool for p in ps]
            return stock[rng.integers(len(stock))]
        name = kind if kind in CLASSES else CLASSES[rng.integers(len(CLASSES))]
        stock = self.crops.pools[(name, "test")]
        picture = stock[rng.integers(len(stock))]
        return picture if kind in CLASSES else DISTORTIONS[rng.integers(3)](picture, rng)


def own_pictures(
    study: Composed,
    film: Film,
    seed: int,
    sheet: Sequence[Bag],
    classes: tuple[str, ...],
    *,
    settings: TrainingSettings,
) -> Composed:
    """A study once more, donors that are left out together with pictures of their own.

    Where the film has no parting, the study itself: all that teach share one pool.

    Parameters
    ----------
    seed
        It was composed with.
    sheet
        Its training bags as they will be learned from: what is known of donors deals them out.
    """
    if film.parting is None:
        return study
    material = collect(sheet, classes, settings)
    folds = split_donors(material.donor_shares(), settings.folds, settings.seed)
    groups = {material.bags[i].specimen_id: folds[material.donor(i)] for i in material.mixed}
    parting = replace(film.parting, groups=groups)
    return compose(film.crops, film.counts, film.regime, seed, parting=parting)


def without_class(study: Composed, name: str) -> tuple[list[Bag], tuple[str, ...]]:
    """The training bags as if the class did not exist."""
    k, bags = CLASSES.index(name), []
    for bag in study.training:
        if bag.known.cell_class == name:
            continue
        keep = study.truth[bag.specimen_id] != k
        left = {c: v for c, v in bag.known.per_ul.items() if c != name}
        total = sum(left.values()) if left else None
        known = replace(bag.known, per_ul=left, wbc_per_ul=total)
        bags.append(replace(bag, crops=bag.crops[keep], features=bag.features[keep], known=known))
    return bags, tuple(c for c in CLASSES if c != name)


DRIFTS = ("contrast × 0.8", "cells × 1.1", "out of focus")


def drifted(bag: Bag, how: str) -> Bag:
    """A specimen filmed after something changed on the instrument, one of ``DRIFTS``."""
    contrast = bag.crops.astype(np.float32) - 128
    flat = contrast.reshape(-1, *contrast.shape[2:])
    if how == DRIFTS[0]:
        flat = flat * 0.8
    elif how == DRIFTS[1]:
        middle = (making.SIDE - 1) / 2
        matrix = cv2.getRotationMatrix2D((middle, middle), 0, 1.1)
        flat = np.stack([cv2.warpAffine(p, matrix, (making.SIDE, making.SIDE)) for p in flat])
    else:
        flat = np.stack([cv2.GaussianBlur(p, (0, 0), 1.0) for p in flat])
    shown = np.clip(np.round(128 + flat.reshape(contrast.shape)), 0, 255)
    return replace(bag, crops=shown.astype(np.uint8))


def shares(known: Known) -> np.ndarray:
    """(K,) what a sheet's values of the classes are of their sum."""
    values = np.array([known.per_ul[name] for name in CLASSES])
    return np.asarray(values / values.sum())


def change(known: Known, slipped: Known) -> float:
    """By how many points a slip changes the share of the class it changes most."""
    return float(100 * np.abs(shares(slipped) - shares(known)).max())


def slips(known: Known) -> list[tuple[str, str, Known]]:
    """Every slip of one row: its kind, the class, and the row as it would stand."""
    made = []
    for i, name in enumerate(CLASSES):
        value = known.per_ul[name]
        for kind, factor in (("tenfold", 10.0), ("tenth", 0.1)):
            made.append((kind, name, _with(known, {name: factor * value})))
        for other in CLASSES[i + 1 :]:
            swapped = {name: known.per_ul[other], other: value}
            made.append(("exchanged", name, _with(known, swapped)))
    total = known.wbc_per_ul or 0.0
    made.append(("total", "", replace(known, wbc_per_ul=10 * total)))
    made.append(("total", "", replace(known, wbc_per_ul=total / 10)))
    return made


def _with(known: Known, values: dict[str, float]) -> Known:
    return replace(known, per_ul={**known.per_ul, **values})


@dataclass(frozen=True)
class Spoilt:
    """A study whose sheet has a swapped pair and one slip of each kind; where they are."""

    bags: list[Bag]
    pair: tuple[str, str]
    slips: dict[str, str]  # kind → specimen


def spoil(training: Sequence[Bag], rng: np.random.Generator, least: float = 10.0) -> Spoilt:
    """Spoil the rows of five mixed specimens, each by ``least`` points at least."""
    bags = list(training)
    mixed = [i for i, bag in enumerate(bags) if bag.known.role == "mixed"]
    order = [int(i) for i in rng.permutation(mixed)]
    a = order.pop()
    # A swap of two alike is no mistake that anybody could see, or would suffer from.
    b = next(i for i in order if change(bags[a].known, bags[i].known) >= least)
    order.remove(b)
    bags[a], bags[b] = replace(bags[a], known=bags[b].known), replace(bags[b], known=bags[a].known)
    where = {}
    for kind in ("tenfold", "exchanged", "total"):
        i = order.pop()
        fit = [s for k, _c, s in slips(bags[i].known) if k == kind]
        large = [s for s in fit if kind == "total" or change(bags[i].known, s) >= least] or fit
        bags[i] = replace(bags[i], known=large[rng.integers(len(large))])
        where[kind] = bags[i].specimen_id
    return Spoilt(bags, (bags[a].specimen_id, bags[b].specimen_id), where)
