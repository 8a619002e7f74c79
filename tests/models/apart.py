"""One of the processes of a training that a test begins with ``torchrun``: writes what it learned.

    torchrun … -m tests.models.apart FOLDER [short|failed|killed]

The last word is what happens to the second process at the fifth step.
"""

import os
import signal
import sys
from pathlib import Path

import numpy as np
import torch

from cellcensus.errors import TrainingError
from models import team
from models.training import train, train_beside
from tests.models.conftest import BRIEF
from tests.models.toys import CLASSES, make_study

SETTINGS = BRIEF.model_copy(update={"warmup_steps": 6, "bag_steps": 6})
AT = 5


def _mishap(kind):
    if kind == "short":
        raise torch.OutOfMemoryError("full")
    if kind == "failed":
        raise ZeroDivisionError("a defect")
    if kind == "killed":
        os.kill(os.getpid(), signal.SIGKILL)


def _noted(losses, happens):
    add_up = team.Team.add_up

    def noted(self, loss, weights):
        if self.rank == 1 and len(losses) == AT:
            losses.append(float("nan"))
            _mishap(happens)
        found = add_up(self, loss, weights)
        losses.append(float(found))
        return found

    team.Team.add_up = noted


def main(folder, happens=""):
    losses = []
    _noted(losses, happens)
    if "WORLD_SIZE" not in os.environ:
        return _write(folder, losses, train(make_study(), CLASSES, settings=SETTINGS))
    with team.joined():
        if team.present().rank:
            return train_beside(make_study(), CLASSES, settings=SETTINGS)
        try:
            model = train(make_study(), CLASSES, settings=SETTINGS)
        except TrainingError as error:
            (Path(folder) / "words").write_text(str(error))
            return None
    return _write(folder, losses, model)


def _write(folder, losses, model):
    weights = [np.asarray(m.weights["head.weight"]) for m in model.members]
    recovery = [m.log_recovery for m in model.members]
    fractions = [p.fraction for p in model.held_out]
    values = {"losses": losses, "weights": weights, "recovery": recovery, "fractions": fractions}
    said = " ".join(model.card["limits"])
    np.savez(Path(folder) / "learned.npz", **values, said=said)


if __name__ == "__main__":
    main(*sys.argv[1:])
