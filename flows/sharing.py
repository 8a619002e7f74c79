"""Work that several machines do together: each takes what it can do next, nobody the same twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from db import leases
from flows.context import Context

C = TypeVar("C")
J = TypeVar("J")
R = TypeVar("R")

POLL_S = 0.5
"""How often is looked whether another machine is ready with what it holds."""


def shared(
    ctx: Context,
    run: int,
    work: Callable[[J], R],
    candidates: Mapping[str, C],
    prepare: Callable[[C], J | None],
    *,
    label: str,
    processes: int = 1,
) -> Iterator[tuple[J, R | Exception]]:
    """Do what is to be done of the candidates, under leases, and with whoever does it too.

    Ends when each candidate was done, here or elsewhere. Leases are taken little by little, so
    that work goes to whoever has time; those of a machine that died end, and its work is done here.

    Parameters
    ----------
    run
        Key of this run, which holds the leases.
    work
        Does one job, as in :class:`flows.conductor.Conductor`.
    candidates
        Subject of a lease → what may be to do.
    prepare
        Called under the lease: the job, or ``None`` where nothing is to do (any more).

    Yields
    ------
    tuple
        Each job with its result or error. Who stores the result settles the lease in the same
        transaction (:func:`db.leases.settle`).
    """
    share = _Share(ctx, run, dict(candidates), prepare, ctx.conductor.at_once(processes))
    while share.left:
        yield from ctx.conductor.map(work, share.pull(), label=label, processes=processes)
        share.give_back()
        if share.left:  # the rest is being done elsewhere
            time.sleep(POLL_S)


@contextmanager
def alone(
    ctx: Context, run: int, subject: str, on_wait: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Hold the lease on one subject; while another has it, call ``on_wait`` and wait."""
    while True:
        with ctx.store.unit_of_work() as session:
            taken = leases.take(session, run, [subject], 1)
            session.commit()
        if taken:
            break
        on_wait()
        time.sleep(POLL_S)
    try:
        yield
    finally:
        with ctx.store.unit_of_work() as session:
            leases.give_back(session, run, [subject])
            session.commit()


@dataclass
class _Share(Generic[C, J]):
    ctx: Context
    run: int
    left: dict[str, C]
    prepare: Callable[[C], J | None]
    at_once: int
    held: list[str] = field(default_factory=list)
    idle: list[str] = field(default_factory=list)

    def pull(self) -> Iterator[J]:
        """Jobs, each under a lease; ends when all that is left is held by others."""
        while self.left and (taken := self._take()):
            for subject in taken:
                job = self.prepare(self.left.pop(subject))
                if job is None:
                    self.idle.append(subject)
                else:
                    self.held.append(subject)
                    yield job

    def give_back(self) -> None:
        """Let go of what was not settled, such as jobs that failed."""
        self.idle += self.held
        self.held = []
        if self.idle:
            with self.ctx.store.unit_of_work() as session:
                leases.give_back(session, self.run, self.idle)
                session.commit()
            self.idle = []

    def _take(self) -> list[str]:
        with self.ctx.store.unit_of_work() as session:
            leases.give_back(session, self.run, self.idle)
            self.idle = []
            taken = leases.take(session, self.run, self.left, self.at_once)
            session.commit()
        return taken
