"""Studies composed of real cell pictures and real blood counts, with every cell's class known.

The learner sees what a laboratory would know (purities, analyser totals); the truth stays here and
is used to measure. Crops are split by file into a training and a test pool, so that no picture is
ever seen on both sides.
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from models.bag import Bag, Known

CLASSES = ("neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil")
DEFAULT_CV = {"neutrophil": 0.03, "lymphocyte": 0.04, "monocyte": 0.09, "eosinophil": 0.1}
WINDOW_UM, CROP_UM, SIDE, CANVAS = 26.0, 0.36, 48, 80
ARTEFACT = -2
_TEST = 35  # percent of the pictures that only specimens to come show


@dataclass(frozen=True)
class Regime:
    """What a composed study is like; the defaults are the middle regime.

    Strengths of 1 are those measured on a filmed study: what specimens of like composition differ
    by in size, contrast, steepness of edges and skewness.
    """

    name: str = "middle"
    mixed: int = 24
    purified_per_class: int = 2
    blanks: int = 2
    cells: int = 600
    unknown: int = 20
    abnormal_share: float = 0.3
    abnormal: float = 0.4  # how far an abnormal donor's composition is from any blood count
    donor: float = 1.0  # strength of what differs between donors
    shift: float = 1.0  # strength of what purification does to cells
    purity: tuple[float, float] = (0.85, 0.99)
    purity_error: float = 0.02
    analyser: float = 1.0
    recovery_sd: float = 0.1
    known_classes: tuple[str, ...] = CLASSES
    total_known: bool = True
    debris: tuple[float, float] = (0.02, 0.08)
    views: int = 2


@dataclass
class Composed:
    """A composed study: bags to learn from, bags to predict, and the truth of every cell."""

    classes: tuple[str, ...]
    training: list[Bag]
    unknown: list[Bag]
    truth: dict[str, np.ndarray]  # specimen → class of each cell, ARTEFACT for debris
    blood: dict[str, np.ndarray]  # specimen → cells per µL by class, of the donor's blood
    abnormal: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Look:
    """How one donor's cells look on one day."""

    scale: float
    gain: float
    gamma: float
    blur: float
    noise: float
    tilt: float


class Crops:
    """Pictures of cells by class, held as contrast on a square canvas, split by file."""

    def __init__(self, folder: Path, classes: tuple[str, ...] = CLASSES) -> None:
        self.pools: dict[tuple[str, str], list[np.ndarray]] = {}
        for name in classes:
            for path in sorted((folder / name).glob("*.png")):
                pool = "test" if zlib.crc32(path.name.encode()) % 100 < _TEST else "training"
                self.pools.setdefault((name, pool), []).append(_contrast(path))


def _contrast(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    gray, alpha = picture[..., 0].astype(np.float32), picture[..., -1].astype(np.float32) / 255
    contrast = (gray - 200) / 200 * alpha
    canvas = np.zeros((CANVAS, CANVAS), np.float32)
    h, w = contrast.shape
    top, left = max(0, (CANVAS - h) // 2), max(0, (CANVAS - w) // 2)
    part = contrast[:CANVAS, :CANVAS]
    canvas[top : top + part.shape[0], left : left + part.shape[1]] = part
    return canvas


def read_counts(path: Path) -> np.ndarray:
    """Cells per µL by class of real donors, (donors, 5); donors with gaps are left out."""
    with path.open() as stream:
        rows = [[row[f"{c}_per_ul"] for c in CLASSES] for row in csv.DictReader(stream)]
    counts = np.array([[float(v) for v in row] for row in rows if all(row)])
    return counts[counts.sum(1) > 500]


def compose(
    crops: Crops,
    counts: np.ndarray,
    regime: Regime,
    seed: int,
    *,
    parting: Parting | None = None,
) -> Composed:
    """One study of a regime; the same seed gives the same study.

    Parameters
    ----------
    parting
        Gives groups of specimens pictures of their own: what is left out group by group is then as
        new to the rest as specimens to come are. All else stays as it was. By default specimens
        to learn from share one pool of pictures and specimens to come another one.
    """
    rng = np.random.default_rng([seed, zlib.crc32(regime.name.encode())])
    recovery = np.exp(rng.normal(0, regime.recovery_sd, len(CLASSES)))
    bench = _Bench(crops, counts, regime, rng, recovery, parting)
    study = Composed(CLASSES, [], [], {}, {})
    for k, name in enumerate(CLASSES):
        for i in range(regime.purified_per_class):
            _add_purified(study, bench, f"P{k}{i}", name)
    for i in range(regime.blanks):
        _add_blank(study, bench, f"B{i}")
    for i in range(regime.mixed):
        _add_blood(study, bench, f"M{i:03}")
    for i in range(regime.unknown):
        _add_blood(study, bench, f"U{i:03}")
    return study


@dataclass(frozen=True)
class Parting:
    """Who shows which pictures, where groups of specimens have pictures of their own.

    Parameters
    ----------
    groups
        Number of the group of each mixed specimen; all others that are learned from are one more.
    number
        How many groups of mixed specimens there are.
    """

    groups: Mapping[str, int]
    number: int

    def own(self, specimen_id: str, pool: str, stock: list[np.ndarray]) -> list[np.ndarray]:
        """What of a pool a specimen may show.

        Specimens to come fall into groups as well, with as many pictures each.
        """
        if pool == "training":
            return stock[self.groups.get(specimen_id, self.number) :: self.number + 1]
        parts = max(1, round((self.number + 1) * _TEST / (100 - _TEST)))
        return stock[zlib.crc32(specimen_id.encode()) % parts :: parts]


@dataclass(frozen=True)
class _Bench:
    """What every specimen of one study is made with."""

    crops: Crops
    counts: np.ndarray
    regime: Regime
    rng: np.random.Generator
    recovery: np.ndarray
    parting: Parting | None = None

    def pictures(self, specimen_id: str, name: str, pool: str, number: int) -> list[np.ndarray]:
        """Pictures of one class, drawn from those that the specimen may show."""
        stock = self.crops.pools[(name, pool)]
        drawn = self.rng.integers(len(stock), size=number)
        if self.parting is not None:
            stock = self.parting.own(specimen_id, pool, stock)
        return [stock[i % len(stock)] for i in drawn]


def _look(regime: Regime, rng: np.random.Generator, *, purified: bool = False) -> Look:
    d, s = regime.donor, regime.shift if purified else 0.0
    return Look(
        scale=float(np.exp(rng.normal(0, 0.025 * d) - s * rng.uniform(0.01, 0.05))),
        gain=float(np.exp(rng.normal(0, 0.12 * d) - s * rng.uniform(0.05, 0.20))),
        gamma=float(np.exp(rng.normal(0, 0.10 * d))),
        blur=float(rng.uniform(0.3, 0.3 + 0.5 * d) + s * rng.uniform(0.05, 0.25)),
        noise=float(rng.uniform(0.008, 0.008 + 0.02 * d)),
        tilt=float(rng.normal(0, 0.01 * d)),
    )


def _add_purified(study: Composed, bench: _Bench, sid: str, name: str) -> None:
    regime, rng = bench.regime, bench.rng
    purity = rng.uniform(*regime.purity)
    others = rng.dirichlet(np.ones(len(CLASSES) - 1) * 2) * (1 - purity)
    fractions = np.insert(others, CLASSES.index(name), purity)
    stated = float(np.clip(purity + rng.normal(0, regime.purity_error), 0.5, 0.995))
    known = Known("purified", name, stated, None, {}, {}, {})
    look = _look(regime, rng, purified=True)
    bag, labels = _film(bench, (sid, known), fractions, look=look, per_ul=6000.0)
    study.training.append(bag)
    study.truth[sid] = labels


def _add_blank(study: Composed, bench: _Bench, sid: str) -> None:
    regime, rng = bench.regime, bench.rng
    known = Known("blank", None, None, None, {}, {}, {})
    n = max(60, regime.cells // 5)
    pictures = np.stack([_debris(rng) for _ in range(n)])
    views = _render(pictures, _look(regime, rng), rng, regime.views)
    bag = _bag(sid, known, views, 1.5)
    study.training.append(bag)
    study.truth[sid] = np.full(n, ARTEFACT)


def _add_blood(study: Composed, bench: _Bench, sid: str) -> None:
    counts, regime, rng = bench.counts, bench.regime, bench.rng
    blood = counts[rng.integers(len(counts))].astype(float)
    # The survey rounds to 100 cells per µL; blood does not.
    blood = np.maximum(blood + rng.uniform(-50, 50, len(blood)), 5)
    if rng.random() < regime.abnormal_share:
        study.abnormal.add(sid)
        odd = rng.dirichlet(np.full(len(blood), 0.7))
        blood = (1 - regime.abnormal) * blood + regime.abnormal * blood.sum() * odd
    training = sid.startswith("M")
    known = _analyse(blood, regime, rng) if training else Known("unknown", None, None, None)
    seen = blood * bench.recovery
    look = _look(regime, rng)
    bag, labels = _film(bench, (sid, known), seen / seen.sum(), look=look, per_ul=seen.sum())
    (study.training if training else study.unknown).append(bag)
    study.truth[sid], study.blood[sid] = labels, blood


def _analyse(blood: np.ndarray, regime: Regime, rng: np.random.Generator) -> Known:
    cv = np.array([DEFAULT_CV.get(c, 0.3) for c in CLASSES]) * regime.analyser
    read = np.maximum(blood * (1 + rng.normal(0, 1, len(blood)) * cv), 0)
    per_ul = {c: float(v) for c, v in zip(CLASSES, read, strict=True) if c in regime.known_classes}
    total = float(read.sum()) if regime.total_known else None
    return Known("mixed", None, None, total, per_ul, {}, {})


def _film(
    bench: _Bench, specimen: tuple[str, Known], fractions: np.ndarray, *, look: Look, per_ul: float
) -> tuple[Bag, np.ndarray]:
    regime, rng = bench.regime, bench.rng
    sid, known = specimen
    # No picture is seen on both sides.
    pool = "test" if known.role == "unknown" else "training"
    numbers = rng.multinomial(regime.cells, fractions)
    dirt = rng.binomial(regime.cells, rng.uniform(*regime.debris))
    pictures, labels = [], []
    for k, number in enumerate(numbers):
        pictures += bench.pictures(sid, CLASSES[k], pool, number)
        labels += [k] * number
    pictures += [_debris(rng) for _ in range(dirt)]
    labels += [ARTEFACT] * dirt
    order = rng.permutation(len(labels))
    views = _render(np.stack(pictures)[order], look, rng, regime.views)
    bag = _bag(sid, known, views, regime.cells * 20.0 / per_ul)
    return bag, np.array(labels)[order]


def _bag(sid: str, known: Known, views: np.ndarray, volume: float) -> Bag:
    blank = np.zeros((len(views), 0), np.float32)
    return Bag("composed", sid, "D" + sid, "bench", known, views, blank, (), volume, 20.0)


def _render(pictures: np.ndarray, look: Look, rng: np.random.Generator, views: int) -> np.ndarray:
    """Film contrast canvases: turn, scale, blur, stain, noise; → (n, views, SIDE, SIDE) uint8."""
    out = np.empty((len(pictures), views, SIDE, SIDE), np.uint8)
    ramp = np.linspace(-1, 1, SIDE, dtype=np.float32)[None, :] * look.tilt
    for i, picture in enumerate(pictures):
        scale = look.scale * CROP_UM * SIDE / WINDOW_UM
        angle, flip = rng.uniform(0, 360), rng.random() < 0.5
        for v in range(views):
            turn = angle + rng.normal(0, 10)
            matrix = cv2.getRotationMatrix2D((CANVAS / 2, CANVAS / 2), turn, scale)
            matrix[:, 2] += (SIDE - CANVAS) / 2 + rng.normal(0, 0.4, 2)
            source = picture[:, ::-1] if flip else picture
            warped = cv2.warpAffine(np.ascontiguousarray(source), matrix, (SIDE, SIDE))
            blur = max(0.15, look.blur * SIDE / WINDOW_UM * CROP_UM * rng.uniform(0.8, 1.25))
            warped = cv2.GaussianBlur(warped, (0, 0), blur)
            inside = np.abs(warped) > 0.03
            stained = np.sign(warped) * look.gain * np.abs(warped) ** look.gamma
            noise = rng.standard_normal((SIDE, SIDE), dtype=np.float32) * look.noise
            final = stained + (noise + ramp) * cv2.blur(inside.astype(np.float32), (3, 3))
            out[i, v] = np.clip(np.round(128 + 127 * final), 0, 255)
    return out


def _debris(rng: np.random.Generator) -> np.ndarray:
    """A speck, a fibre or a smear of dirt, as contrast on the canvas."""
    canvas = np.zeros((CANVAS, CANVAS), np.float32)
    for _ in range(rng.integers(1, 4)):
        centre = tuple(int(c) for c in CANVAS / 2 + rng.normal(0, 4, 2))
        axes = (int(rng.uniform(2, 14)), int(rng.uniform(2, 6)))
        depth = -float(rng.uniform(0.15, 0.9))
        cv2.ellipse(canvas, centre, axes, float(rng.uniform(0, 180)), 0, 360, depth, -1)
    return cv2.GaussianBlur(canvas, (0, 0), float(rng.uniform(0.5, 2.5)))
