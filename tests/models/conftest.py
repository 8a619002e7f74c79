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


# For what does not depend on how well is learned.
BRIEF = QUICK.model_copy(update={"warmup_steps": 4, "bag_steps": 4})


@pytest.fixture(scope="session")
def brief():
    return BRIEF


@pytest.fixture(scope="session")
def brief_model():
    return train(make_study(), CLASSES, settings=BRIEF)


@pytest.fixture(scope="session")
def model():
    return train(make_study(), CLASSES, settings=QUICK)
