"""How well is composition learned without labels? A table of rivals on composed studies.

    python -m benchmarks.learning --crops DIR --counts FILE.csv --seeds 1 2 3

Every rival sees the same cells. The first rows know less than cellcensus does, the last one knows
the class of every training cell: the same network with full annotation. Errors are of the donor's
blood, in points; ``cells`` is the error that counting the specimen's true classes would still have
(sampling and recovery), so nothing can be expected below it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from benchmarks.compose import ARTEFACT, Composed, Crops, Regime, compose, read_counts
from cellcensus.settings import CompositionSettings, TrainingSettings
from models.augment import Spread
from models.device import choose_device, threads
from models.fit import Schedule, start_fit
from models.folds import split_donors
from models.heldout import conclude
from models.job import Job
from models.learnables import collect, fit_material_looks, make_prior, make_shelves
from models.model import Member, Model, Prediction
from models.prediction import predict
from models.shelf import Deck, stack_pictures
from models.training import train

REGIMES = {
    "middle": Regime(),
    "few_donors": Regime("few_donors", mixed=8),
    "strong": Regime("strong", donor=2.0, shift=2.0),
    "weak": Regime("weak", donor=0.4, shift=0.4),
    "partial": Regime("partial", known_classes=("neutrophil", "lymphocyte")),
}


@dataclass
class Score:
    """What one rival reached in one study; lists have one row a test specimen."""

    error: list[np.ndarray] = field(default_factory=list)  # (K,) points
    covered: list[np.ndarray] = field(default_factory=list)  # (K,) bool
    width: list[np.ndarray] = field(default_factory=list)  # (K,) points
    total: list[float] = field(default_factory=list)  # percent
    abnormal: list[bool] = field(default_factory=list)
    seconds: float = 0.0


def measure(study: Composed, predictions: Sequence[Prediction], method: str | None = None) -> Score:
    """Errors of predictions against the blood; ``method`` instead of the one that reports."""
    score = Score()
    for found in predictions:
        blood = study.blood[found.specimen_id]
        truth = blood / blood.sum()
        share = np.array(found.details["methods"][method]) if method else found.fraction
        score.error.append(100 * (share - truth))
        score.covered.append((found.fraction_low <= truth) & (truth <= found.fraction_high))
        score.width.append(100 * (found.fraction_high - found.fraction_low))
        score.total.append(100 * abs(found.total_per_ul / blood.sum() - 1))
        score.abnormal.append(found.specimen_id in study.abnormal)
    return score


def floor(study: Composed) -> Score:
    """Counting the true classes of the cells."""
    score = Score()
    for bag in study.unknown:
        labels = study.truth[bag.specimen_id]
        blood = study.blood[bag.specimen_id]
        counts = np.bincount(labels[labels != ARTEFACT], minlength=len(study.classes))
        score.error.append(100 * (counts / counts.sum() - blood / blood.sum()))
        score.abnormal.append(bag.specimen_id in study.abnormal)
    return score


def purified_only(study: Composed, settings: TrainingSettings, *, hard: bool) -> Model:
    """Learn from purified specimens alone; with ``hard`` their purity is taken for 1."""
    bags = [b for b in study.training if b.known.role != "mixed"]
    if hard:
        bags = [replace(b, known=replace(b.known, purity=0.999)) for b in bags]
    # As many steps as cellcensus takes in all for one network.
    steps = settings.warmup_steps + settings.bag_steps * 2
    return train(bags, study.classes, settings=settings.model_copy(update={"warmup_steps": steps}))


def oracle(study: Composed, settings: TrainingSettings) -> Model:
    """The same networks in the same folds, told the class of every training cell."""
    material = collect(study.training, study.classes, settings)
    folds = split_donors(material.donor_shares(), settings.folds, settings.seed)
    job = Job(
        material, folds, settings, CompositionSettings(), choose_device(), lambda: None, Spread()
    )
    with threads(settings.threads):
        members = [_learn_labels(study, job, fold) for fold in range(job.fold_count)]
        return conclude(members, job)


def _learn_labels(study: Composed, job: Job, fold: int) -> Member:
    material, settings = job.material, job.settings
    chosen = [*material.purified, *material.blank, *job.outside(fold)]
    looks = fit_material_looks(material, material.purified, job.outside(fold))
    shelves = make_shelves(material, looks, chosen, job.device)
    labels = [torch.from_numpy(study.truth[s.specimen_id]) for s in shelves]
    labels = [torch.where(part < 0, len(study.classes), part) for part in labels]
    prior = make_prior(material, job.outside(fold))
    fit = start_fit(len(study.classes), torch.from_numpy(prior).float(), settings, job.device)
    generator = torch.Generator().manual_seed(settings.seed + fold)
    # The same number of cells in all, in small steps: labels allow that, bags do not.
    cells = settings.warmup_steps * settings.purified_cells * len(material.purified)
    cells += settings.bag_steps * settings.bag_cells * settings.bags_per_step
    steps, order = cells // (8 * 24), Deck(len(shelves), generator)
    schedule = Schedule(fit, settings, 1.0, steps)
    decks = [Deck(len(shelf), generator) for shelf in shelves]
    for _ in range(steps):
        drawn = order.deal(8).tolist()
        hands = [decks[i].deal(24) for i in drawn]
        pictures = stack_pictures([shelves[i] for i in drawn], hands, generator, job.spread)
        wanted = torch.cat([labels[i][hand] for i, hand in zip(drawn, hands, strict=True)])
        schedule.step(functional.cross_entropy(fit.network(pictures) + fit.prior.log(), wanted))
    weights = {n: v.detach().clone() for n, v in fit.average.state_dict().items()}
    return Member(weights, prior, looks, np.zeros(len(study.classes)))


def run_study(study: Composed, settings: TrainingSettings, rows: Sequence[str]) -> dict[str, Score]:
    """All rivals on one study."""
    scores = {"cells (floor)": floor(study)}
    rivals: dict[str, tuple[Callable[[], Model], tuple[str | None, ...]]] = {
        "purified, hard labels": (lambda: purified_only(study, settings, hard=True), ("counting",)),
        "purified, purity-aware": (
            lambda: purified_only(study, settings, hard=False),
            ("counting", "emq"),
        ),
        "bags only": (
            lambda: train(
                [b for b in study.training if b.known.role != "purified"],
                study.classes,
                settings=settings.model_copy(update={"bag_steps": settings.bag_steps * 3 // 2}),
            ),
            (None,),
        ),
        "cellcensus": (
            lambda: train(study.training, study.classes, settings=settings),
            (None, "mean", "recalibrated", "counting", "emq"),
        ),
        "oracle": (lambda: oracle(study, settings), (None, "counting")),
    }
    for name in rows:
        start = time.perf_counter()
        model = rivals[name][0]()
        seconds = time.perf_counter() - start
        quick = CompositionSettings(threads=settings.threads)
        found = [predict(model, bag, settings=quick) for bag in study.unknown]
        for method in rivals[name][1]:
            score = measure(study, found, method)
            score.seconds = seconds
            scores[f"{name}, {method}" if method else name] = score
    return scores


def table(regime: str, studies: Sequence[dict[str, Score]]) -> str:
    """A Markdown table, means over studies."""
    head = ("rival", "mean", "worst class", "worst, abnormal", "total %", "covered", "width", "s")
    lines = [f"**{regime}**, {len(studies)} studies", "", "| " + " | ".join(head) + " |"]
    lines.append("|" + " --- |" * len(head))
    for name in studies[0]:
        cells = [_row(study[name]) for study in studies]
        means = [np.mean([c[i] for c in cells]) for i in range(len(cells[0]))]
        text = " | ".join("–" if np.isnan(m) else f"{m:.2f}" for m in means)
        lines.append(f"| {name} | {text} |")
    return "\n".join(lines)


def _row(score: Score) -> tuple[float, ...]:
    error = np.abs(np.array(score.error))
    abnormal = error[np.array(score.abnormal, bool)]
    return (
        float(error.mean()),
        float(error.mean(0).max()),
        float(abnormal.mean(0).max()) if len(abnormal) else np.nan,
        float(np.mean(score.total)) if score.total else np.nan,
        float(np.mean(score.covered)) if score.covered else np.nan,
        float(np.mean(score.width)) if score.width else np.nan,
        score.seconds or np.nan,
    )


def main() -> None:
    """Compose, learn, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--crops", type=Path, required=True, help="folder with <class>/*.png")
    parser.add_argument("--counts", type=Path, required=True, help="blood counts, CSV")
    parser.add_argument("--regimes", nargs="+", default=["middle"], choices=list(REGIMES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3, 4, 5])
    parser.add_argument(
        "--rows", nargs="+", default=["purified, hard labels", "cellcensus", "oracle"]
    )
    parser.add_argument("--settings", default="{}", help="TrainingSettings as JSON")
    chosen = parser.parse_args()
    settings = TrainingSettings.model_validate_json(chosen.settings)
    crops, counts = Crops(chosen.crops), read_counts(chosen.counts)
    for regime in chosen.regimes:
        studies = []
        for seed in chosen.seeds:
            study = compose(crops, counts, REGIMES[regime], seed)
            studies.append(run_study(study, settings, chosen.rows))
            print(f"seed {seed}: {table(regime, studies[-1:])}\n", flush=True)
        print(table(regime, studies), flush=True)


if __name__ == "__main__":
    main()
