"""Error against the network's width and against the time it is trained.

    python -m benchmarks.capacity --crops DIR --counts FILE.csv --seeds 101

One composed study, learned from by networks of several widths, and by the usual one in an eighth to
twice the steps. A peak of the error where a network just fits its bags, as a bare linear head has
(:mod:`models.capacity`), would show between narrow and wide or between short and long.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks.ablation import Piece, error_cells, errors
from benchmarks.compose import Composed, Crops, compose, read_counts
from benchmarks.kept import keep, read_kept
from benchmarks.learning import REGIMES
from benchmarks.options import add_tables, study_parser
from cellcensus.settings import TrainingSettings
from models.network import CellNetwork

WIDTHS, PARTS = (4, 8, 16, 32), (0.125, 0.25, 0.5, 1.0, 2.0)


def sizes(given: TrainingSettings) -> dict[str, TrainingSettings]:
    """Settings of each row: widths first, then lengths of training."""
    rows = {f"width {width}": given.model_copy(update={"width": width}) for width in WIDTHS}
    for part in PARTS:
        changed = {
            name: max(1, round(getattr(given, name) * part))
            for name in ("warmup_steps", "bag_steps")
        }
        if part != 1:  # the usual length is the usual width's row
            rows[f"{part:g} of the steps"] = given.model_copy(update=changed)
    return rows


def run(
    study: Composed, seed: int, settings: TrainingSettings, names: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """What each size reached: name, weights, processor seconds, errors in points."""
    for name, chosen in sizes(settings).items():
        if names and name not in names:
            continue
        start = time.process_time()
        found = errors(study, Piece(), chosen)
        network = CellNetwork(len(study.classes), chosen.width)
        yield {
            "size": name,
            "seed": seed,
            "weights": sum(weight.numel() for weight in network.parameters()),
            "seconds": time.process_time() - start,
            "errors": {kind: each.tolist() for kind, each in found.items()},
        }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown, one row a size over all seeds."""
    lines = ["| size | weights | CPU s | reported: mean | worst class | counting: mean | worst |"]
    lines.append("| --- | --- | --- | --- | --- | --- | --- |")
    for name in dict.fromkeys(row["size"] for row in rows):
        mine = [row for row in rows if row["size"] == name]
        cells = error_cells([row["errors"] for row in mine])
        seconds = np.mean([row["seconds"] for row in mine])
        lines.append(f"| {name} | {mine[0]['weights']:,} | {seconds:.0f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Learn at each size, print."""
    parser = study_parser(__doc__, [101])
    parser.add_argument("--regime", default="middle", choices=list(REGIMES))
    parser.add_argument("--sizes", nargs="+", default=[], help="only these rows")
    add_tables(parser)
    chosen = parser.parse_args()
    if chosen.tables:
        print(table(list(read_kept(chosen.tables))))
        return
    settings = TrainingSettings.model_validate_json(chosen.settings)
    crops, counts = Crops(chosen.crops), read_counts(chosen.counts)
    rows = []
    for seed in chosen.seeds:
        study = compose(crops, counts, REGIMES[chosen.regime], seed)
        for row in run(study, seed, settings, chosen.sizes):
            rows.append(row)
            keep(chosen.out, row)
    print(table(rows))


if __name__ == "__main__":
    main()
