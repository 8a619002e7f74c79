import pytest

from cellcensus.settings import TrainingSettings
from models.training import train
from tests.models.toys import CLASSES, make_study

QUICK = TrainingSettings(
    folds=2,
    warmup_steps=40,
    bag_steps=25,
    bag_cells=48,
    bags_per_step=3,
    purified_cells=16,
    width=8,
    threads=1,
)


@pytest.fixture(scope="session")
def quick():
    return QUICK


@pytest.fixture(scope="session")
def model():
    return train(make_study(), CLASSES, settings=QUICK)
