"""What does each piece of what is known, and of the method, buy? One is switched off at a time.

    python -m benchmarks.ablation --crops DIR --counts FILE.csv --seeds 101

The same composed study is learned from again and again: as it is, and without one piece. Errors of
the specimens to be predicted against the donor's blood, in points. ``--out FILE`` keeps what is
found as it comes, ``--tables FILE…`` makes the table of such files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np

from benchmarks.compose import Composed, Crops, compose, read_counts
from benchmarks.kept import keep, read_kept
from benchmarks.learning import REGIMES
from benchmarks.options import add_tables, study_parser
from cellcensus.settings import CompositionSettings, TrainingSettings
from models.augment import Spread
from models.bag import Bag
from models.normalise import ClassLooks
from models.prediction import predict
from models.training import train

STILL = Spread(scale=0.0, gain=0.0, gamma=0.0, blur=0.0, noise=0.0, shift=0.0)
_CERTAIN_CV, _CERTAIN_SD = 0.001, 0.001


@dataclass(frozen=True)
class Piece:
    """One row of the table: what is changed of bags, settings, or augmentation.

    Parameters
    ----------
    inside
        What has no setting, since nobody should switch it off: name in a module → what stands in.
    """

    bags: Callable[[list[Bag]], list[Bag]] = list
    settings: Callable[[TrainingSettings], TrainingSettings] = lambda given: given
    spread: Spread | None = None
    views: int = 2
    inside: dict[str, object] = field(default_factory=dict)

    @contextmanager
    def switched(self) -> Iterator[None]:
        """While the inner pieces are switched off."""
        with ExitStack() as stack:
            for name, stand_in in self.inside.items():
                stack.enter_context(patch(name, stand_in))
            yield


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


def _two_folds(given: TrainingSettings) -> TrainingSettings:
    return given.model_copy(update={"folds": 2})


def _no_effect(*_given: object, **_more: object) -> np.ndarray:
    return np.zeros(2)


def _whole_effect(
    looks: ClassLooks, mean: np.ndarray, *_given: object, **_more: object
) -> np.ndarray:
    """The specimen's own typical look, its composition not asked."""
    effect = mean - looks.centre
    return np.where(np.isfinite(effect), np.clip(effect, -0.7, 0.7), 0.0)


def _even(_targets: object, classes: int, *, floor: float) -> np.ndarray:
    return np.full(classes, max(1.0 / classes, floor))


_EFFECT = ("models.learnables", "models.evidence", "models.embedded")


PIECES: dict[str, Piece] = {
    "everything": Piece(),
    "purified taken for pure": Piece(_known("purified", purity=0.999)),
    "purity not stated": Piece(_known("purified", purity=None)),
    "analyser taken for certain": Piece(_certain_analyser),
    "no artefact class": Piece(_without("blank")),
    "no augmentation": Piece(spread=STILL),
    "no normalisation of specimens": Piece(
        inside={f"{module}.donor_effect": _no_effect for module in _EFFECT}
    ),
    "neither normalisation nor augmentation": Piece(
        spread=STILL, inside={f"{module}.donor_effect": _no_effect for module in _EFFECT}
    ),
    "normalised by its own look, composition not asked": Piece(
        inside={f"{module}.donor_effect": _whole_effect for module in _EFFECT}
    ),
    "no recovery by class": Piece(
        inside={"models.fit.RECOVERY_SD": _CERTAIN_SD, "models.recovery.PRIOR_SD": _CERTAIN_SD}
    ),
    "even prior": Piece(inside={"models.learnables.population_prior": _even}),
    "two networks instead of four": Piece(settings=_two_folds),
    "one picture a cell": Piece(_one_view, views=1),
    "purified cells forgotten once bags are learned": Piece(settings=_cells_alone),
    "no purified specimens": Piece(_without("purified")),
    "no totals: no mixed specimens": Piece(_without("mixed")),
}


def errors(study: Composed, piece: Piece, settings: TrainingSettings) -> dict[str, np.ndarray]:
    """(B, K) absolute errors in points of what reports, and of each method."""
    asked = CompositionSettings(threads=settings.threads, views=piece.views)
    with piece.switched():
        model = train(
            piece.bags(study.training),
            study.classes,
            settings=piece.settings(settings),
            spread=piece.spread,
        )
        found = [predict(model, bag, settings=asked) for bag in study.unknown]
    blood = np.array([study.blood[bag.specimen_id] for bag in study.unknown])
    truth = blood / blood.sum(1, keepdims=True)
    shares = {"reported": np.array([p.fraction for p in found])}
    for method in found[0].details["methods"]:
        shares[method] = np.array([p.details["methods"][method] for p in found])
    return {name: 100 * np.abs(share - truth) for name, share in shares.items()}


def error_cells(studies: Sequence[dict[str, np.ndarray]]) -> list[str]:
    """Mean and worst class of what reports, then of plain counting, over all studies."""
    cells = []
    for kind in ("reported", "counting"):
        each = np.concatenate([study[kind] for study in studies])
        cells += [f"{each.mean():.2f}", f"{each.mean(0).max():.2f}"]
    return cells


def table(rows: dict[str, list[dict[str, np.ndarray]]]) -> str:
    """Markdown: mean and worst class of what reports and of plain counting, over all studies."""
    lines = ["| without | reported: mean | worst class | counting: mean | worst class |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for name, studies in rows.items():
        lines.append(f"| {name} | " + " | ".join(error_cells(studies)) + " |")
    return "\n".join(lines)


def run(
    studies: dict[int, Composed], names: Sequence[str], settings: TrainingSettings
) -> Iterator[tuple[str, int, dict[str, np.ndarray]]]:
    """Every piece on every study: its name, the seed, and the errors."""
    for name in names:
        for seed, study in studies.items():
            yield name, seed, errors(study, PIECES[name], settings)


def _read(files: Sequence[Path]) -> dict[str, list[dict[str, np.ndarray]]]:
    rows: dict[str, list[dict[str, np.ndarray]]] = {}
    for row in read_kept(files):
        kinds = {kind: np.array(each) for kind, each in row["errors"].items()}
        rows.setdefault(row["piece"], []).append(kinds)
    return rows


def main() -> None:
    """Learn without each piece, print."""
    parser = study_parser(__doc__, [101])
    parser.add_argument("--regime", default="middle", choices=list(REGIMES))
    parser.add_argument("--pieces", nargs="+", default=list(PIECES), choices=list(PIECES))
    parser.add_argument("--cells", type=int, help="cells a specimen, instead of the regime's")
    add_tables(parser)
    chosen = parser.parse_args()
    if chosen.tables:
        print(table(_read(chosen.tables)))
        return
    regime = REGIMES[chosen.regime]
    regime = replace(regime, cells=chosen.cells) if chosen.cells else regime
    crops, counts = Crops(chosen.crops), read_counts(chosen.counts)
    studies = {seed: compose(crops, counts, regime, seed) for seed in chosen.seeds}
    settings = TrainingSettings.model_validate_json(chosen.settings)
    rows: dict[str, list[dict[str, np.ndarray]]] = {}
    for name, seed, found in run(studies, chosen.pieces, settings):
        rows.setdefault(name, []).append(found)
        plain = {kind: each.tolist() for kind, each in found.items()}
        keep(chosen.out, {"piece": name, "seed": seed, "errors": plain})
    print(table(rows))


if __name__ == "__main__":
    main()
