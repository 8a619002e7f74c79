"""How much of a bare loop's pace training and prediction keep.

    python -m benchmarks.pace

The rival is the same network fed with the same number of ready pictures: forward and backward for
training, forward alone for prediction. Drawing, augmenting, losses, optimiser and averaging are
what the ratio pays for. Processor time on one thread, so that a busy machine does not count.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import cast

import numpy as np
import torch
from torch import nn

from cellcensus.settings import CompositionSettings, TrainingSettings
from models.augment import Spread, to_contrast
from models.bag import Bag, Known
from models.device import choose_device, threads
from models.evidence import _ask
from models.fit import learn_bags, start_fit, warm_up
from models.folds import split_donors
from models.job import Job
from models.learnables import collect, fit_material_looks, make_prior, make_shelves
from models.network import INPUT_SIDE
from models.schedule import Fit

CLASSES = ("one", "two", "three", "four", "five")
_CELLS, _SIDE, _VIEWS, _DONORS, _ROUNDS = 600, 48, 2, 6, 3


def _bags() -> list[Bag]:
    rng = np.random.default_rng(0)
    knowns = [Known("purified", name, 0.95) for name in CLASSES for _ in range(2)]
    per_ul = dict.fromkeys(CLASSES, 1000.0)
    knowns += [Known("mixed", wbc_per_ul=5000.0, per_ul=per_ul) for _ in range(_DONORS)]
    bags = []
    for i, known in enumerate(knowns):
        crops = rng.integers(60, 200, (_CELLS, _VIEWS, _SIDE, _SIDE), dtype=np.uint8)
        nothing = np.zeros((_CELLS, 0), np.float32)
        bags.append(Bag("pace", f"S{i}", f"D{i}", None, known, crops, nothing))
    return bags


def _job(settings: TrainingSettings) -> Job:
    material = collect(_bags(), CLASSES, settings)
    folds = split_donors(material.donor_shares(), 2, 1)
    composition = CompositionSettings()
    device = choose_device()
    return Job(material, folds, settings, composition, device, lambda: None, Spread())


def _seconds(work: Callable[[], object]) -> float:
    """Least processor time of a few runs."""
    times = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def _bare(fit: Fit, images: int, steps: int) -> Callable[[], None]:
    pictures = torch.randn(images, 1, INPUT_SIDE, INPUT_SIDE).contiguous(
        memory_format=torch.channels_last
    )

    def work() -> None:
        for _ in range(steps):
            fit.network.zero_grad()
            fit.network(pictures).logsumexp(1).mean().backward()

    return work


def main() -> None:
    """Print the ratios."""
    settings = TrainingSettings(warmup_steps=40, bag_steps=8, threads=1)
    job = _job(settings)
    material = job.material
    looks = fit_material_looks(material, material.purified, material.mixed)
    pure = make_shelves(material, looks, material.purified, job.device)
    blood = make_shelves(material, looks, material.mixed, job.device)
    prior = torch.from_numpy(make_prior(material, material.mixed)).float()
    fit = start_fit(len(CLASSES), prior, settings, job.device)
    few = settings.purified_cells * len(pure)
    many = settings.bag_cells * settings.bags_per_step + 8 * len(pure)
    with threads(1):
        ours = _seconds(lambda: warm_up(fit, pure, job))
        print(f"warm-up: {_seconds(_bare(fit, few, settings.warmup_steps)) / ours:.2f}")
        ours = _seconds(lambda: learn_bags(fit, blood, pure, job, seed=1))
        print(f"bags: {_seconds(_bare(fit, many, settings.bag_steps)) / ours:.2f}")
        ready = blood[0].pictures
        ours = _seconds(lambda: _ask(fit.network, ready))
        print(f"prediction: {_seconds(_forward(fit.network, ready)) / ours:.2f}")
        if compiler := shutil.which("c++"):
            compiled = cast(nn.Module, torch.compile(fit.network))
            bare = _seconds(_forward(compiled, ready))
            print(f"prediction, the bare network compiled by {compiler}: {bare / ours:.2f}")


def _forward(network: nn.Module, ready: torch.Tensor) -> Callable[[], None]:
    pictures = to_contrast(ready.reshape(-1, 1, *ready.shape[2:]))
    parts = [p.contiguous(memory_format=torch.channels_last) for p in pictures.split(128)]

    def work() -> None:
        with torch.inference_mode():
            for part in parts:
                network(part)

    work()
    return work


if __name__ == "__main__":
    main()
