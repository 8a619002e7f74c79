"""Networks applied to a specimen: evidence of every cell for every class, by every member."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import softmax

from models.augment import to_contrast
from models.device import mixed_precision
from models.model import Member
from models.morphology import measure_morphology
from models.network import CellNetwork, knows_artefacts
from models.normalise import donor_effect, measure_cells, typical
from models.pictures import prepare
from models.shapes import measure_shapes

# Small batches stay in the processor's cache; a GPU wants large ones.
_BATCH = {"cpu": 64, "cuda": 4096}
_ROUNDS, _GUESS_CELLS = 2, 400
# What a cell is built like is told by two pictures hardly less well than by all.
_BUILD_VIEWS = 2


@dataclass(frozen=True)
class Evidence:
    """What the members say of a specimen's cells.

    Parameters
    ----------
    logits
        (M, n, K + 1) float32 log-likelihoods, artefacts last.
    shapes
        (n, F) float32 plain features of the best view.
    builds
        (n, D) float32 what the cells are built like, for novelty.
    effect
        (2,) log contrast and log size of this specimen against the study's.
    """

    logits: np.ndarray
    shapes: np.ndarray
    builds: np.ndarray
    effect: np.ndarray


def build_network(member: Member, width: int, device: torch.device) -> CellNetwork:
    """A member's network, ready to be asked."""
    artefacts = knows_artefacts(member.prior)
    network = CellNetwork(len(member.prior) - 1, width, artefacts=artefacts)
    network.load_state_dict(dict(member.weights))
    network.to(device).to(memory_format=torch.channels_last)
    return network.eval()


def leukocyte_shares(logits: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Mean posterior over cells and members without artefacts, (K,), adding to 1."""
    posterior = softmax(logits + np.log(prior), axis=-1)
    mean = posterior.reshape(-1, posterior.shape[-1])[:, :-1].sum(0)
    return mean / mean.sum() if mean.sum() > 0 else np.full(len(mean), 1 / len(mean))


def leukocytes(logits: np.ndarray, prior: np.ndarray) -> float:
    """How many cells are no artefacts, by the sum of their probabilities."""
    if logits.shape[1] == 0:
        return 0.0
    return float((1 - softmax(logits + np.log(prior), axis=-1).mean(0)[:, -1]).sum())


def most_probable(logits: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """(n,) the class that members find most probable together, artefacts last."""
    return np.asarray((logits.mean(0) + np.log(prior)).argmax(1))


def gather(
    members: Sequence[tuple[Member, CellNetwork]],
    crops: np.ndarray,
    prior: np.ndarray,
    *,
    views: int,
    device: torch.device,
    tick: Callable[[], None] = lambda: None,
) -> Evidence:
    """Ask members about every cell of a specimen.

    Parameters
    ----------
    crops
        (n, V, S, S) uint8.
    prior
        (K + 1,) to which the members' evidence is brought: softmax(logits + log prior) is each
        member's own posterior.
    views
        Most pictures of a cell that are looked at.
    """
    mean = typical(measure_cells(crops))
    answers = []
    for member, network in members:
        effect = _effect(member, network, crops, mean, device)
        pictures = prepare(crops[:, :views], member.looks.centre + effect, device)
        logits = _ask(network, pictures)
        shift = np.log(member.prior) - np.log(prior)
        answers.append((logits + shift.astype(np.float32), effect))
        tick()
    logits, effect = (np.stack(parts) for parts in zip(*answers, strict=True))
    look = np.mean([member.looks.centre for member, _ in members], axis=0) + effect.mean(0)
    builds = measure_builds(crops, look, device)
    return Evidence(logits, measure_shapes(crops), builds, effect.mean(0))


def measure_builds(crops: np.ndarray, look: np.ndarray, device: torch.device) -> np.ndarray:
    """What the cells are built like, (n, D), their typical contrast and size taken off.

    Always of two pictures of a cell where there are two, however many the networks are shown: a
    mean of fewer is noisier, and noise would pass for news.

    Parameters
    ----------
    crops
        (n, V, S, S) uint8.
    look
        (2,) as in :func:`models.pictures.prepare`.
    """
    return measure_morphology(prepare(crops[:, :_BUILD_VIEWS], look, device))


def _effect(
    member: Member,
    network: CellNetwork,
    crops: np.ndarray,
    mean: np.ndarray,
    device: torch.device,
) -> np.ndarray:
    """How this donor's cells look in general, (2,).

    It can only be told from what the specimen is composed of, and that only from its cells: the
    composition is guessed, then normalisation and guess improve each other for a few rounds on
    the best view of some cells.
    """
    some = crops[:: max(1, len(crops) // _GUESS_CELLS), :1]
    guess = member.prior[:-1] / member.prior[:-1].sum()
    for _ in range(_ROUNDS if len(crops) else 0):
        effect = donor_effect(member.looks, mean, guess)
        logits = _ask(network, prepare(some, member.looks.centre + effect, device))
        guess = leukocyte_shares(logits, member.prior)
    return donor_effect(member.looks, mean, guess)


def _ask(network: CellNetwork, pictures: torch.Tensor) -> np.ndarray:
    """Evidence averaged over views, (n, K + 1)."""
    n, views = pictures.shape[:2]
    batch = _BATCH.get(pictures.device.type, 64)
    logits = np.zeros((n, network.head.out_features), np.float32)
    with torch.inference_mode(), mixed_precision(pictures.device):
        for start in range(0, n, batch):
            part = to_contrast(pictures[start : start + batch])
            flat = part.reshape(-1, 1, *part.shape[2:])
            told = network(flat.contiguous(memory_format=torch.channels_last)).float()
            mean = told.reshape(len(part), views, -1).mean(1)
            logits[start : start + len(part)] = mean.cpu().numpy()
    return logits
