"""Is what should not be there noticed? Strange cells, a class left out, mix-ups, slips, drift.

    python -m benchmarks.unexpected --crops DIR --counts FILE.csv --seeds 51 52 53

Each seed learns six times: from a study in whose sheet a pair of mixed specimens is swapped and
three values are wrong, and from one that lacks a class altogether, for each class. Donors that a
network leaves out show pictures that it never saw, as specimens to come do; with ``--shared`` all
that teach draw on one pool of pictures. Every other slip and swap is then tried on the sheet
against the shares that were found in left-out donors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from benchmarks.compose import CLASSES, Composed, Crops, Parting, Regime, compose, read_counts
from benchmarks.kept import keep
from benchmarks.oddities import (
    DRIFTS,
    Film,
    Spoilt,
    change,
    drifted,
    own_pictures,
    slips,
    spoil,
    without_class,
)
from benchmarks.options import study_parser
from cellcensus.settings import CompositionSettings, TrainingSettings
from models.bag import Bag, Known
from models.knowledge import read_target, stated_total
from models.model import Model
from models.prediction import predict
from models.recovery import concentration
from models.suspects import Sheet, Suspect, find_suspects
from models.training import train

STRANGE, DRIFT = "unclassified_over_5_percent", "instrument_drift"
SHARES = (0.05, 0.1)
_SIZES = ((0, 5), (5, 10), (10, 20), (20, 100))
Figures = dict[str, list[float]]  # what → 1 or 0 of each try


@dataclass
class Tally:
    """Hits of each figure of one seed."""

    figures: Figures

    def add(self, what: str, hits: Sequence[bool]) -> None:
        """Count more tries of one figure."""
        self.figures.setdefault(what, []).extend(float(hit) for hit in hits)


def flagged(model: Model, bags: Sequence[Bag], flag: str) -> list[bool]:
    """Which specimens have the flag."""
    quick = CompositionSettings(threads=1, views=1)
    return [flag in predict(model, bag, settings=quick).flags for bag in bags]


def run_seed(
    film: Film, seed: int, settings: TrainingSettings, specimens: int, left_out: Sequence[str]
) -> Figures:
    """All figures of one seed."""
    study = compose(film.crops, film.counts, film.regime, seed)
    tally = Tally({})
    spoilt = spoil(study.training, film.rng)
    study = own_pictures(study, film, seed, spoilt.bags, study.classes, settings=settings)
    shown = [replace(a, known=b.known) for a, b in zip(study.training, spoilt.bags, strict=True)]
    spoilt = replace(spoilt, bags=shown)
    model = train(spoilt.bags, study.classes, settings=settings)
    _sheet_as_learned(tally, model, spoilt)
    _slips_tried(tally, model, study)
    _swaps_tried(tally, model, study)
    _strange_cells(tally, film, model, specimens)
    for name in left_out:
        sheet, classes = without_class(study, name)
        parted = own_pictures(study, film, seed, sheet, classes, settings=settings)
        bags, _ = without_class(parted, name)
        _class_left_out(tally, film, train(bags, classes, settings=settings), name, specimens)
    return tally.figures


def _strange_cells(tally: Tally, film: Film, model: Model, specimens: int) -> None:
    plain = [film.specimen(f"U{i}") for i in range(specimens)]
    tally.add("ordinary, no strange cells flagged", [not f for f in flagged(model, plain, STRANGE)])
    tally.add("ordinary, no drift flagged", [not f for f in flagged(model, plain, DRIFT)])
    for kind in ("platelet", "distorted"):
        for share in SHARES:
            bags = [film.specimen(f"S{i}", kind, share) for i in range(specimens)]
            tally.add(f"{kind}, {share:.0%}", flagged(model, bags, STRANGE))
    for how in DRIFTS:
        moved = [drifted(bag, how) for bag in plain]
        tally.add(f"drift, {how}", flagged(model, moved, DRIFT))


def _class_left_out(tally: Tally, film: Film, model: Model, name: str, specimens: int) -> None:
    plain = [film.specimen(f"O{i}", without=name) for i in range(specimens)]
    tally.add(f"ordinary, {name}s never seen", [not f for f in flagged(model, plain, STRANGE)])
    for share in SHARES:
        bags = [film.specimen(f"L{i}", name, share, without=name) for i in range(specimens)]
        tally.add(f"{name}s never seen, {share:.0%}", flagged(model, bags, STRANGE))


def _sheet_as_learned(tally: Tally, model: Model, spoilt: Spoilt) -> None:
    """Learned from the spoilt sheet itself."""
    suspects = {s["specimen"]: s for s in model.card["suspects"]}
    a, b = spoilt.pair
    named = [suspects.get(x, {}).get("swapped_with") == y for x, y in ((a, b), (b, a))]
    tally.add("learned from it: swapped pair named", [all(named)])
    for kind, where in spoilt.slips.items():
        found = suspects.get(where, {}).get("kind")
        tally.add(f"learned from it: {kind}, specimen named", [found is not None])
        tally.add(f"learned from it: {kind}, slip named", [found == kind])
    honest = set(suspects) - {a, b} - set(spoilt.slips.values())
    mixed = sum(bag.known.role == "mixed" for bag in spoilt.bags) - 5
    tally.add("learned from it: honest rows left alone", [i >= len(honest) for i in range(mixed)])


def _slips_tried(tally: Tally, model: Model, study: Composed) -> None:
    for row, bag in _mixed(model, study):
        for kind, name, slipped in slips(bag.known):
            found = _suspects(model, study, {row: slipped}).get(bag.specimen_id)
            size = _size(change(bag.known, slipped)) if kind != "total" else "ten times"
            tally.add(f"{kind}, {size}: specimen named", [found is not None])
            if found is not None and kind != "total":
                tally.add(
                    f"{kind}: class named, of these",
                    [name in (found.cell_class, found.exchanged_with)],
                )


def _swaps_tried(tally: Tally, model: Model, study: Composed) -> None:
    for (i, one), (j, other) in combinations(_mixed(model, study), 2):
        found = _suspects(model, study, {i: other.known, j: one.known})
        named = found.get(one.specimen_id)
        ok = named is not None and named.swapped_with == other.specimen_id
        tally.add(f"swapped, {_size(change(one.known, other.known))}: both named", [ok])
        others = set(found) - {one.specimen_id, other.specimen_id}
        tally.add("swapped: no other named", [not others])


def _size(points: float) -> str:
    low, high = next(pair for pair in _SIZES if points < pair[1] or pair == _SIZES[-1])
    return f"{low} to {high} points"


def _mixed(model: Model, study: Composed) -> Iterator[tuple[int, Bag]]:
    bags = {bag.specimen_id: bag for bag in study.training}
    for row, found in enumerate(model.held_out):
        yield row, bags[found.specimen_id]


def _suspects(model: Model, study: Composed, other: dict[int, Known]) -> dict[str, Suspect]:
    """What is doubted when some rows of the sheet read otherwise."""
    bags = [replace(b, known=other.get(i, b.known)) for i, b in _mixed(model, study)]
    targets = [target for b in bags if (target := read_target(b.known, CLASSES)) is not None]
    cells = np.array([p.cells for p in model.held_out], float)
    counted = [
        concentration(n, b.imaged_volume_ul, b.dilution) for n, b in zip(cells, bags, strict=True)
    ]
    sheet = Sheet(
        found=np.array([p.fraction for p in model.held_out]),
        known=np.array([t.fraction for t in targets]),
        known_sd=np.array([t.sd for t in targets]),
        cells=cells,
        counted=np.array(counted),
        totals=np.array([stated_total(b.known, CLASSES) for b in bags]),
    )
    found = find_suspects([b.specimen_id for b in bags], CLASSES, sheet)
    return {suspect.specimen_id: suspect for suspect in found}


def table(seeds: Sequence[Figures]) -> str:
    """Shares over all tries of all seeds, Markdown."""
    lines = [f"| {len(seeds)} seeds | share | tries |", "| --- | --- | --- |"]
    for what in dict.fromkeys(name for figures in seeds for name in figures):
        hits = [hit for figures in seeds for hit in figures.get(what, [])]
        lines.append(f"| {what} | {np.mean(hits):.2f} | {len(hits)} |")
    return "\n".join(lines)


def main() -> None:
    """Learn, test, print."""
    parser = study_parser(__doc__, [51, 52, 53], composes=True)
    parser.add_argument("--specimens", type=int, default=20, help="of each kind")
    parser.add_argument("--left-out", nargs="*", default=list(CLASSES), choices=CLASSES)
    parser.add_argument("--shared", action="store_true", help="one pool for all that teach")
    chosen = parser.parse_args()
    settings = TrainingSettings.model_validate_json(chosen.settings)
    crops, platelets = Crops(chosen.crops), Crops(chosen.crops, ("platelet",))
    counts = read_counts(chosen.counts)
    seeds = []
    for seed in chosen.seeds:
        rng = np.random.default_rng([seed, 9])
        parting = None if chosen.shared else Parting({}, settings.folds)
        film = Film(crops, platelets, counts, rng, Regime(), parting)
        seeds.append(run_seed(film, seed, settings, chosen.specimens, chosen.left_out))
        keep(chosen.out, {"seed": seed, "tries": seeds[-1]})
    print(table(seeds))


if __name__ == "__main__":
    main()
