"""When memory is short: half as many cells at a time, and the card says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import torch

from cellcensus.errors import TrainingError
from models.job import Job
from models.team import ShortElsewhereError

T = TypeVar("T")
_FEWEST_BAG_CELLS, _FEWEST_PURIFIED = 32, 4


def within_memory(learn: Callable[[Job], T], job: Job) -> tuple[T, Job]:
    """Learn; where memory runs out, begin again with half as many cells a step.

    Returns
    -------
    What was learned, and the job as it was done.

    Raises
    ------
    TrainingError
        Memory is too short for the smallest steps.
    """
    while True:
        try:
            return learn(job), job
        except RuntimeError as error:
            if not _is_shortage(error):
                raise
            if not isinstance(error, ShortElsewhereError):
                job.team.say_short(job.device)
            smaller = _halved(job)
            if smaller.settings == job.settings:
                raise TrainingError(
                    "Memory is too short for the smallest training step",
                    next_step="free memory on the device, or lower CELLCENSUS_TRAINING__WIDTH",
                ) from error
            job = smaller
        if job.device.type == "cuda":
            torch.cuda.empty_cache()


def _halved(job: Job) -> Job:
    settings = job.settings
    fewer = {
        "bag_cells": max(_FEWEST_BAG_CELLS, settings.bag_cells // 2),
        "purified_cells": max(_FEWEST_PURIFIED, settings.purified_cells // 2),
    }
    return replace(job, settings=settings.model_copy(update=fewer))


def _is_shortage(error: RuntimeError) -> bool:
    # The processor's allocator raises a plain RuntimeError.
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
