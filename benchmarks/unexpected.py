"""Is what should not be there noticed? Strange cells, a class left out, mix-ups, drift.

    python -m benchmarks.unexpected --crops DIR --counts FILE.csv --seeds 61

Each seed learns twice: from a study in whose sheet one pair of mixed specimens is swapped and one
analyser value is wrong, and from one that lacks a class altogether.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from benchmarks import compose as making
from benchmarks.compose import CLASSES, Composed, Crops, Regime, compose, read_counts
from cellcensus.settings import CompositionSettings, TrainingSettings
from models.bag import Bag, Known
from models.model import Model
from models.prediction import predict
from models.training import train

STRANGE, DRIFT = "unclassified_over_5_percent", "instrument_drift"
LEFT_OUT = "basophil"
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
    """What specimens to be tested are made with."""

    crops: Crops
    platelets: Crops
    counts: np.ndarray
    rng: np.random.Generator
    regime: Regime

    def specimen(self, name: str, kind: str = "", share: float = 0.0) -> Bag:
        """An ordinary specimen, a share of whose cells is replaced by strange ones."""
        rng, regime = self.rng, self.regime
        bench = making._Bench(self.crops, self.counts, regime, rng, np.ones(len(CLASSES)))
        blood = np.maximum(self.counts[rng.integers(len(self.counts))], 5.0)
        look = making._look(regime, rng)
        known = Known("unknown")
        bag, _labels = making._film(
            bench, (name, known), blood / blood.sum(), look=look, per_ul=blood.sum()
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


def spoil_sheet(study: Composed, rng: np.random.Generator) -> tuple[set[str], str]:
    """Swap the values of two mixed specimens and falsify one of a third; which they are."""
    mixed = [i for i, bag in enumerate(study.training) if bag.known.role == "mixed"]
    shares = {i: _shares(study.training[i].known) for i in mixed}
    a, wrong = (int(i) for i in rng.choice(mixed, 2, replace=False))
    # A swap of two alike is no mistake that anybody could see, or would suffer from.
    others = [i for i in mixed if i not in (a, wrong)]
    b = max(others, key=lambda i: np.abs(np.sqrt(shares[i]) - np.sqrt(shares[a])).max())
    bags = study.training
    bags[a], bags[b] = replace(bags[a], known=bags[b].known), replace(bags[b], known=bags[a].known)
    values = dict(bags[wrong].known.per_ul)
    values["lymphocyte"] *= 3
    bags[wrong] = replace(bags[wrong], known=replace(bags[wrong].known, per_ul=values))
    return {bags[a].specimen_id, bags[b].specimen_id}, bags[wrong].specimen_id


def _shares(known: Known) -> np.ndarray:
    values = np.array([known.per_ul[name] for name in CLASSES])
    return np.asarray(values / values.sum())


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


def flagged(model: Model, bags: Sequence[Bag], flag: str) -> float:
    """Share of specimens with the flag."""
    quick = CompositionSettings(threads=1, views=1)
    return float(np.mean([flag in predict(model, bag, settings=quick).flags for bag in bags]))


def drifted(bag: Bag, how: str) -> Bag:
    """A specimen filmed after something changed on the instrument."""
    contrast = bag.crops.astype(np.float32) - 128
    if how == "darker by a half":
        contrast = contrast * 1.5
    elif how == "out of focus":
        blurred = [
            cv2.GaussianBlur(p, (0, 0), 2.0) for p in contrast.reshape(-1, *contrast.shape[2:])
        ]
        contrast = np.stack(blurred).reshape(contrast.shape)
    else:
        matrix = cv2.getRotationMatrix2D((making.SIDE / 2, making.SIDE / 2), 0, 1.2)
        flat = contrast.reshape(-1, *contrast.shape[2:])
        shown = [cv2.warpAffine(p, matrix, (making.SIDE, making.SIDE)) for p in flat]
        contrast = np.stack(shown).reshape(contrast.shape)
    return replace(bag, crops=np.clip(np.round(128 + contrast), 0, 255).astype(np.uint8))


DRIFTS = ("darker by a half", "out of focus", "a fifth larger")


def run_seed(film: Film, seed: int, settings: TrainingSettings, specimens: int) -> dict[str, float]:
    """All figures of one seed, as shares."""
    study = compose(film.crops, film.counts, film.regime, seed)
    pair, wrong = spoil_sheet(study, film.rng)
    model = train(study.training, study.classes, settings=settings)
    suspects = {s["specimen"]: s for s in model.card["suspects"]}
    partner = [suspects[s]["swapped_with"] in pair for s in pair if s in suspects]
    plain = [film.specimen(f"U{i}") for i in range(specimens)]
    found = {
        "swapped pair named": float(len(partner) == 2 and all(partner)),
        "wrong value named": float(wrong in suspects),
        "others named": float(len(set(suspects) - pair - {wrong})),
        "ordinary, strange": flagged(model, plain, STRANGE),
        "ordinary, drift": flagged(model, plain, DRIFT),
    }
    for kind in ("platelet", "distorted"):
        for share in (0.05, 0.1):
            bags = [film.specimen(f"S{i}", kind, share) for i in range(specimens)]
            found[f"{kind}, {share:.0%}"] = flagged(model, bags, STRANGE)
    for how in DRIFTS:
        found[f"drift: {how}"] = flagged(model, [drifted(b, how) for b in plain], DRIFT)
    bags, classes = without_class(study, LEFT_OUT)
    lacking = train(bags, classes, settings=settings)
    for share in (0.1, 0.2):
        rich = [film.specimen(f"L{i}", LEFT_OUT, share) for i in range(specimens)]
        found[f"{LEFT_OUT}s never seen, {share:.0%}"] = flagged(lacking, rich, STRANGE)
    return found


def main() -> None:
    """Learn, test, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--crops", type=Path, required=True, help="folder with <class>/*.png")
    parser.add_argument("--counts", type=Path, required=True, help="blood counts, CSV")
    parser.add_argument("--seeds", nargs="+", type=int, default=[61, 62, 63])
    parser.add_argument("--specimens", type=int, default=20)
    parser.add_argument("--settings", default="{}", help="TrainingSettings as JSON")
    chosen = parser.parse_args()
    settings = TrainingSettings.model_validate_json(chosen.settings)
    crops, platelets = Crops(chosen.crops), Crops(chosen.crops, ("platelet",))
    counts = read_counts(chosen.counts)
    rows = []
    for seed in chosen.seeds:
        film = Film(crops, platelets, counts, np.random.default_rng([seed, 9]), Regime())
        rows.append(run_seed(film, seed, settings, chosen.specimens))
    mean = Counter[str]()
    for row in rows:
        mean.update({name: value / len(rows) for name, value in row.items()})
    print(f"| {len(rows)} seeds | share |\n| --- | --- |")
    for name, value in mean.items():
        print(f"| {name} | {value:.2f} |")


if __name__ == "__main__":
    main()
