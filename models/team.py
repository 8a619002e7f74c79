"""Processes that train one model together, a part of every step each (started by ``torchrun``).

Each holds the whole network and draws the same chance; of the specimens of a step each shows its
own part to the network, cells whole, since a specimen's loss is that of all its cells. Gradients
are added up before the step is taken, so that it is the step one process would take, up to the
order of sums. Losses are parts of the whole step's loss, not means: they add up too.

The recoveries are learned outside the network and cells differ in number from process to process,
so the sum is taken here, over one vector, and not by ``DistributedDataParallel``, which averages
over processes what a module's forward pass used.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import torch
from torch import distributed
from torch.distributed.rendezvous import rendezvous

from cellcensus.errors import FailedElsewhereError

_WELL, _SHORT, _FAILED = 0.0, 1.0, 2.0
# Of one sum. A process that ended is noticed at once, one that hangs after so long.
_PATIENCE, _GOODBYE = timedelta(minutes=10), timedelta(seconds=20)
_NEXT = "read what the other process said; `cellcensus train` without torchrun needs no other"


class ShortElsewhereError(torch.OutOfMemoryError):
    """Memory ran out in another process of the team."""


@dataclass(frozen=True)
class Team:
    """The processes of one training; alone by default.

    Parameters
    ----------
    rank, size
        The number of this process, and how many there are.
    """

    rank: int = 0
    size: int = 1

    def own(self, number: int) -> list[bool]:
        """Which of so many specimens of a step this process shows to the network."""
        return [place % self.size == self.rank for place in range(number)]

    def add_up(self, loss: torch.Tensor, weights: Iterable[torch.nn.Parameter]) -> torch.Tensor:
        """Replace the gradients by their sum over the team; the sum of the losses.

        Raises
        ------
        ShortElsewhereError
            Memory ran out in another process: all begin again with less.
        FailedElsewhereError
            Another process failed or ended.
        """
        if self.size == 1:
            return loss.detach()
        held = list(weights)
        for weight in held:
            weight.grad = torch.zeros_like(weight) if weight.grad is None else weight.grad
        parts = [weight.grad.reshape(-1) for weight in held if weight.grad is not None]
        whole = torch.cat([*parts, loss.detach().reshape(1)])
        self._agree(_WELL, whole.device)
        _sum(whole)
        for weight, part in zip(held, whole.split([w.numel() for w in held] + [1]), strict=False):
            # Into the gradient's own layout, which is its weight's: the step reads both alike.
            cast(torch.Tensor, weight.grad).copy_(part.view_as(weight))
        return whole[-1]

    def say_short(self, device: torch.device) -> None:
        """Memory ran out here: tell the others, who are at a step."""
        if self.size > 1:
            self._agree(_SHORT, device)

    @contextmanager
    def stepping(self, device: torch.device) -> Iterator[None]:
        """While the others take steps: an error here ends theirs too, and nobody waits for it."""
        try:
            yield
        except FailedElsewhereError:
            raise
        except BaseException:
            if self.size > 1:
                with suppress(RuntimeError):  # nobody is left to be told
                    told = torch.tensor([_FAILED], device=device)
                    work = distributed.all_reduce(told, distributed.ReduceOp.MAX, async_op=True)
                    work.wait(_GOODBYE)
            raise

    def _agree(self, mine: float, device: torch.device) -> None:
        worst = torch.tensor([mine], device=device)
        _sum(worst, distributed.ReduceOp.MAX)
        found = float(worst)
        if found == _FAILED:
            raise FailedElsewhereError("another process of this training failed", next_step=_NEXT)
        if found > mine:
            raise ShortElsewhereError("memory ran out in another process")


ALONE = Team()


def present() -> Team:
    """The team this process is in."""
    if distributed.is_available() and distributed.is_initialized():
        return Team(distributed.get_rank(), distributed.get_world_size())
    return ALONE


@contextmanager
def joined() -> Iterator[distributed.Store]:
    """Be in the team that ``torchrun`` made; yields where its processes leave each other words."""
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    store, rank, size = next(rendezvous("env://"))
    distributed.init_process_group(
        "nccl" if on_gpu else "gloo", store=store, rank=rank, world_size=size, timeout=_PATIENCE
    )
    try:
        yield distributed.PrefixStore("cellcensus", store)
    finally:
        distributed.destroy_process_group()


def _sum(
    values: torch.Tensor, how: distributed.ReduceOp.RedOpType = distributed.ReduceOp.SUM
) -> None:
    try:
        distributed.all_reduce(values, op=how)
    except RuntimeError as error:  # a connection that was closed, or patience that ended
        raise FailedElsewhereError(
            "another process of this training ended without a word", next_step=_NEXT
        ) from error
