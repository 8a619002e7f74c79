import numpy as np
import pytest
import torch

from models.evidence import build_network, gather
from models.network import INPUT_SIDE, NO_ARTEFACTS, CellNetwork, knows_artefacts
from models.training import train
from tests.models.toys import CLASSES, make_study


def pictures(number=5):
    return torch.rand(number, 1, INPUT_SIDE, INPUT_SIDE, generator=torch.manual_seed(0))


def test_nothing_speaks_for_artefacts_that_nobody_saw():
    network, other = CellNetwork(3, 4, artefacts=False), CellNetwork(3, 4)
    for one in (network, other):
        torch.nn.init.constant_(one.head.bias, 50.0)
    told = network(pictures())
    assert told.shape == (5, 4)
    prior = torch.tensor([0.3, 0.3, 0.4 - NO_ARTEFACTS, NO_ARTEFACTS])
    assert ((told + prior.log()).softmax(1)[:, -1] == 0).all()
    assert (other(pictures())[:, -1] == 50.0).all()


def test_a_prior_says_whether_artefacts_were_seen():
    assert knows_artefacts(np.array([0.5, 0.45, 0.05]))
    assert not knows_artefacts(torch.tensor([0.5, 0.5, NO_ARTEFACTS]))


@pytest.mark.parametrize("blank", [True, False])
def test_a_study_without_a_blank_knows_no_artefacts(brief, blank):
    bags = [bag for bag in make_study() if blank or bag.known.role != "blank"]
    model = train(bags, CLASSES, settings=brief)
    pairs = [(m, build_network(m, model.width, torch.device("cpu"))) for m in model.members]
    logits = gather(pairs, bags[-1].crops, model.prior, views=1, device=torch.device("cpu")).logits
    assert (logits[..., -1].max() > -100) == blank
