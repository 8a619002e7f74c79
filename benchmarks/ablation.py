"""What does each piece of what is known, and of the method, buy? One is switched off at a time.

    python -m benchmarks.ablation --crops DIR --counts FILE.csv --seeds 101

The same composed study is learned from again and again: as it is, and without one piece. Errors of
the specimens to be predicted against the donor's blood, in points.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.compose import Composed, Crops, compose, read_counts
from benchmarks.learning import REGIMES
from cellcensus.settings import CompositionSettings, TrainingSettings
from models.augment import Spread
from models.bag import Bag
from models.prediction import predict
from models.training import train

STILL = Spread(scale=0.0, gain=0.0, gamma=0.0, blur=0.0, noise=0.0, shift=0.0)
_CERTAIN_CV = 0.001


@dataclass(frozen=True)
class Piece:
    """One row of the table: what is changed of bags, settings, or augmentation."""

    bags: Callable[[list[Bag]], list[Bag]] = list
    settings: Callable[[TrainingSettings], TrainingSettings] = lambda given: given
    spread: Spread | None = None
    views: int = 2


def _known(role: str, **changes: object) -> Callable[[list[Bag]], list[Bag]]:
    """Bags of a role that know something else of themselves."""

    def change(bags: list[Bag]) -> list[Bag]:
        return [
            replace(bag, known=replace(bag.known, **changes))  # type: ignore[arg-type]
            if bag.known.role == role
            else bag
            for bag in bags
        ]

    return change


def _without(role: str) -> Callable[[list[Bag]], list[Bag]]:
    return lambda bags: [bag for bag in bags if bag.known.role != role]


def _certain_analyser(bags: list[Bag]) -> list[Bag]:
    every = dict.fromkeys((n for bag in bags for n in bag.known.per_ul), _CERTAIN_CV)
    return _known("mixed", cv=every)(bags)


def _one_view(bags: list[Bag]) -> list[Bag]:
    return [replace(bag, crops=bag.crops[:, :1]) for bag in bags]


def _cells_alone(given: TrainingSettings) -> TrainingSettings:
    return given.model_copy(update={"purified_weight": 0.0})


PIECES: dict[str, Piece] = {
    "everything": Piece(),
    "purified taken for pure": Piece(_known("purified", purity=0.999)),
    "purity not stated": Piece(_known("purified", purity=None)),
    "analyser taken for certain": Piece(_certain_analyser),
    "no artefact class": Piece(_without("blank")),
    "no augmentation": Piece(spread=STILL),
    "one picture a cell": Piece(_one_view, views=1),
    "purified cells forgotten once bags are learned": Piece(settings=_cells_alone),
    "no purified specimens": Piece(_without("purified")),
    "no totals: no mixed specimens": Piece(_without("mixed")),
}


def errors(study: Composed, piece: Piece, settings: TrainingSettings) -> dict[str, np.ndarray]:
    """(B, K) absolute errors in points of what reports, and of each method."""
    model = train(
        piece.bags(study.training),
        study.classes,
        settings=piece.settings(settings),
        spread=piece.spread,
    )
    asked = CompositionSettings(threads=settings.threads, views=piece.views)
    found = [predict(model, bag, settings=asked) for bag in study.unknown]
    blood = np.array([study.blood[bag.specimen_id] for bag in study.unknown])
    truth = blood / blood.sum(1, keepdims=True)
    shares = {"reported": np.array([p.fraction for p in found])}
    for method in found[0].details["methods"]:
        shares[method] = np.array([p.details["methods"][method] for p in found])
    return {name: 100 * np.abs(share - truth) for name, share in shares.items()}


def table(rows: dict[str, list[dict[str, np.ndarray]]]) -> str:
    """Markdown: mean and worst class of what reports and of plain counting, over all studies."""
    lines = ["| without | reported: mean | worst class | counting: mean | worst class |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for name, studies in rows.items():
        cells = []
        for kind in ("reported", "counting"):
            each = np.concatenate([study[kind] for study in studies])
            cells += [f"{each.mean():.2f}", f"{each.mean(0).max():.2f}"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def run(
    studies: Sequence[Composed], names: Sequence[str], settings: TrainingSettings
) -> dict[str, list[dict[str, np.ndarray]]]:
    """Every piece on every study."""
    return {name: [errors(s, PIECES[name], settings) for s in studies] for name in names}


def main() -> None:
    """Learn without each piece, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--crops", type=Path, required=True, help="folder with <class>/*.png")
    parser.add_argument("--counts", type=Path, required=True, help="blood counts, CSV")
    parser.add_argument("--regime", default="middle", choices=list(REGIMES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[101])
    parser.add_argument("--pieces", nargs="+", default=list(PIECES), choices=list(PIECES))
    parser.add_argument("--cells", type=int, help="cells a specimen, instead of the regime's")
    parser.add_argument("--settings", default="{}", help="TrainingSettings as JSON")
    chosen = parser.parse_args()
    regime = REGIMES[chosen.regime]
    regime = replace(regime, cells=chosen.cells) if chosen.cells else regime
    crops, counts = Crops(chosen.crops), read_counts(chosen.counts)
    studies = [compose(crops, counts, regime, seed) for seed in chosen.seeds]
    settings = TrainingSettings.model_validate_json(chosen.settings)
    print(table(run(studies, chosen.pieces, settings)))


if __name__ == "__main__":
    main()
