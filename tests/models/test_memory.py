from dataclasses import dataclass

import pytest
import torch

from cellcensus.errors import TrainingError
from cellcensus.settings import TrainingSettings
from models.memory import within_memory
from models.team import ALONE, Team

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Job:
    settings: TrainingSettings
    device: torch.device = CPU
    team: Team = ALONE


def test_half_as_many_cells_are_tried_until_they_fit():
    tried = []

    def learn(job):
        tried.append(job.settings.bag_cells)
        if job.settings.bag_cells > 50:
            raise torch.OutOfMemoryError("full")
        return "learned"

    found, done = within_memory(learn, Job(TrainingSettings(bag_cells=192)))
    assert (found, tried) == ("learned", [192, 96, 48])
    assert done.settings.bag_cells == 48


def test_memory_too_short_for_anything_is_an_error_in_words():
    def learn(_job):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: 1 TB")

    with pytest.raises(TrainingError, match="smallest"):
        within_memory(learn, Job(TrainingSettings()))


def test_other_errors_are_not_taken_for_a_shortage():
    def learn(_job):
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes"):
        within_memory(learn, Job(TrainingSettings()))
