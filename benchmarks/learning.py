"""How well is composition learned without labels? A table of rivals on composed studies.

    python -m benchmarks.learning --crops DIR --counts FILE.csv --regimes middle strong

Every rival sees the same cells. The first rows know less than cellcensus does, the last ones know
the class of every training cell: the same network with full annotation. Errors are of the donor's
blood, in points; ``cells`` is what counting the specimen's true classes would still err by
(sampling and recovery). ``--out FILE`` keeps the single errors, ``--tables FILE…`` makes tables of
such files, so that seeds can be run on several machines.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from benchmarks import quantifiers
from benchmarks.compose import ARTEFACT, Composed, Crops, Regime, compose, read_counts
from benchmarks.kept import keep, read_kept
from benchmarks.options import add_tables, study_parser
from benchmarks.rivals import LEARNERS
from cellcensus.settings import CompositionSettings, TrainingSettings
from models.composition import METHODS
from models.device import choose_device, threads
from models.evidence import Evidence, build_network, gather
from models.model import Model, Prediction
from models.prediction import finish

REGIMES = {
    "middle": Regime(),
    "six_donors": Regime("six_donors", mixed=6),
    "few_donors": Regime("few_donors", mixed=8),
    "twelve_donors": Regime("twelve_donors", mixed=12),
    "sixty_donors": Regime("sixty_donors", mixed=60),
    "few_cells": Regime("few_cells", cells=100),
    "many_cells": Regime("many_cells", cells=5000, mixed=12, unknown=8),
    "strong": Regime("strong", donor=2.0, shift=2.0),
    "weak": Regime("weak", donor=0.4, shift=0.4),
    "noisy": Regime("noisy", analyser=2.0, purity_error=0.05),
    "abnormal": Regime("abnormal", abnormal_share=0.6, abnormal=0.6),
    "partial": Regime("partial", known_classes=("neutrophil", "lymphocyte")),
    "total_only_half": Regime("total_only_half", known_classes=("neutrophil",)),
}
ALONE = {
    "plain classifier": ("counting",),
    "purified, hard labels": ("counting",),
    "purified, purity-aware": ("counting", "emq"),
}


@dataclass
class Score:
    """What one rival reached in one study; lists have one row a test specimen."""

    error: list[list[float]] = field(default_factory=list)  # (K,) points
    low: list[list[float]] = field(default_factory=list)  # (K,) lower half-width, points
    high: list[list[float]] = field(default_factory=list)  # (K,) upper half-width, points
    total: list[float] = field(default_factory=list)  # percent
    abnormal: list[bool] = field(default_factory=list)
    seconds: float = 0.0


def measure(
    study: Composed, predictions: Sequence[Prediction], shares: dict[str, np.ndarray] | None = None
) -> Score:
    """Errors of predictions against the blood; with ``shares`` those, which have no interval."""
    score = Score()
    for found in predictions:
        blood = study.blood[found.specimen_id]
        truth = blood / blood.sum()
        share = found.fraction if shares is None else shares[found.specimen_id]
        score.error.append((100 * (share - truth)).tolist())
        score.abnormal.append(found.specimen_id in study.abnormal)
        if shares is None:
            score.low.append((100 * (found.fraction - found.fraction_low)).tolist())
            score.high.append((100 * (found.fraction_high - found.fraction)).tolist())
            score.total.append(100 * abs(found.total_per_ul / blood.sum() - 1))
    return score


def count_truth(study: Composed) -> Score:
    """Counting the true classes of the cells."""
    score = Score()
    for bag in study.unknown:
        labels = study.truth[bag.specimen_id]
        blood = study.blood[bag.specimen_id]
        counts = np.bincount(labels[labels != ARTEFACT], minlength=len(study.classes))
        score.error.append((100 * (counts / counts.sum() - blood / blood.sum())).tolist())
        score.abnormal.append(bag.specimen_id in study.abnormal)
    return score


def run_study(study: Composed, settings: TrainingSettings, rows: Sequence[str]) -> dict[str, Score]:
    """All rivals on one study."""
    scores = {"cells (floor)": count_truth(study)}
    for name in rows:
        start = time.process_time()
        model = LEARNERS[name](study, settings)
        seconds = time.process_time() - start
        evidence = _look(model, study)
        quick = CompositionSettings(threads=settings.threads)
        found = [finish(model, b, evidence[b.specimen_id], quick) for b in study.unknown]
        if name not in ALONE:
            scores[name] = measure(study, found)
            scores[name].seconds = seconds
        for method in ALONE.get(name, METHODS):
            told = {f.specimen_id: f.details["methods"].get(method) for f in found}
            if all(share is not None for share in told.values()):
                scores[f"{name}, {method}"] = measure(study, found, told)
                scores[f"{name}, {method}"].seconds = seconds if name in ALONE else 0.0
        if name == "cellcensus" and quantifiers.available():
            logits = {specimen: e.logits for specimen, e in evidence.items()}
            for method, shares in quantifiers.quantify(study, model, logits).items():
                scores[f"QuaPy {method} on our posteriors"] = measure(study, found, shares)
    return scores


def _look(model: Model, study: Composed) -> dict[str, Evidence]:
    device = choose_device()
    pairs = [(m, build_network(m, model.width, device)) for m in model.members]
    with threads(1):
        return {
            bag.specimen_id: gather(pairs, bag.crops, model.prior, views=2, device=device)
            for bag in study.unknown
        }


COLUMNS = ("mean", "worst class", "worst class, abnormal", "total %", "covered, by class")
MORE = ("width", "width ÷ needed", "CPU s")


def table(regime: str, studies: Sequence[dict[str, Score]]) -> str:
    """A Markdown table over all specimens of all studies of a regime."""
    head = ("rival", *COLUMNS, *MORE)
    lines = [f"**{regime}**, {len(studies)} studies", "", "| " + " | ".join(head) + " |"]
    lines.append("|" + " --- |" * len(head))
    for name in studies[0]:
        scores = [study[name] for study in studies if name in study]
        lines.append(f"| {name} | " + " | ".join(_cells(scores)) + " |")
    return "\n".join(lines)


def _by_condition(studies: Sequence[dict[str, Score]]) -> str:
    """How often intervals hold in abnormal donors and in others, of each rival that has any."""
    lines = []
    for name in dict.fromkeys(name for study in studies for name in study):
        scores = [study[name] for study in studies if name in study and study[name].low]
        if not scores:
            continue
        held = np.concatenate([_reach(score) for score in scores]) <= 1
        abnormal = np.concatenate([np.array(score.abnormal, bool) for score in scores])
        for what, rows in (("abnormal donors", held[abnormal]), ("others", held[~abnormal])):
            by_class = " ".join(f"{v:.2f}" for v in rows.mean(0)) if len(rows) else "–"
            lines.append(f"{name}, {len(rows)} {what}: covered {by_class}")
    return "\n".join(lines)


def _cells(scores: Sequence[Score]) -> list[str]:
    error = np.abs(np.concatenate([np.array(s.error) for s in scores]))
    abnormal = error[np.concatenate([np.array(s.abnormal, bool) for s in scores])]
    each = [np.abs(np.array(s.error)).mean(0) for s in scores]
    worst = int(error.mean(0).argmax())
    spread = np.std([e[worst] for e in each], ddof=1) if len(each) > 1 else np.nan
    text = [
        f"{error.mean():.2f}",
        f"{error.mean(0).max():.2f}" + ("" if np.isnan(spread) else f" ± {spread:.2f}"),
        f"{abnormal.mean(0).max():.2f}" if len(abnormal) else "–",
    ]
    if not scores[0].low:
        return [*text, "–", "–", "–", "–", _seconds(scores)]
    reach = np.concatenate([_reach(s) for s in scores])
    width = np.concatenate([np.array(s.low) + np.array(s.high) for s in scores]).mean(0)
    needed = np.maximum(np.quantile(reach, 0.95, axis=0), 1e-3)
    return [
        *text,
        f"{np.mean([t for s in scores for t in s.total]):.1f}",
        " ".join(f"{v:.2f}" for v in (reach <= 1).mean(0)),
        " ".join(f"{v:.1f}" for v in width),
        " ".join(f"{v:.2f}" for v in 1 / needed),
        _seconds(scores),
    ]


def _seconds(scores: Sequence[Score]) -> str:
    return f"{np.mean([s.seconds for s in scores]):.0f}" if scores[0].seconds else "–"


def _reach(score: Score) -> np.ndarray:
    """Error over the half-width on its side, (B, K): at most 1 where covered."""
    error = np.array(score.error)
    side = np.where(error > 0, np.array(score.low), np.array(score.high))
    return np.asarray(np.abs(error) / np.maximum(side, 1e-9))


def main() -> None:
    """Compose, learn, measure, print."""
    parser = study_parser(__doc__, [31, 32, 33, 34, 35])
    parser.add_argument("--regimes", nargs="+", default=["middle"], choices=list(REGIMES))
    parser.add_argument("--rows", nargs="+", default=list(LEARNERS), choices=list(LEARNERS))
    add_tables(parser)
    chosen = parser.parse_args()
    if chosen.tables:
        print(_merged(chosen.tables))
        return
    settings = TrainingSettings.model_validate_json(chosen.settings)
    crops, counts = Crops(chosen.crops), read_counts(chosen.counts)
    for regime in chosen.regimes:
        studies = []
        for seed in chosen.seeds:
            study = compose(crops, counts, REGIMES[regime], seed)
            studies.append(run_study(study, settings, chosen.rows))
            _keep(chosen.out, regime, seed, studies[-1])
        print(table(regime, studies), flush=True)


def _keep(file: Path | None, regime: str, seed: int, scores: dict[str, Score]) -> None:
    plain = {name: asdict(score) for name, score in scores.items()}
    keep(file, {"regime": regime, "seed": seed, "scores": plain})


def _merged(files: Sequence[Path]) -> str:
    found: dict[str, dict[int, dict[str, Score]]] = defaultdict(lambda: defaultdict(dict))
    for row in read_kept(files):
        scores = {name: Score(**values) for name, values in row["scores"].items()}
        found[row["regime"]][row["seed"]].update(scores)
    tables = [table(name, list(seeds.values())) for name, seeds in found.items()]
    if len(found) > 1:
        every = [study for seeds in found.values() for study in seeds.values()]
        tables += [table("all regimes together", every), _by_condition(every)]
    return "\n\n".join(tables)


if __name__ == "__main__":
    main()
