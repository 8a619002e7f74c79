"""Who does many jobs: this process, a pool of processes, or Prefect's tasks.

A job is a small picklable value (ids and paths), its work a function of a module; results are small
too. Arrays stay in files.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import pairwise
from typing import Protocol, TypeVar

from cellcensus.errors import CellcensusError
from flows.pools import SharedPool, pool_of

J = TypeVar("J")
R = TypeVar("R")

ATTEMPTS = 2

log = logging.getLogger("cellcensus.flows")


class WorkerDiedError(Exception):
    """The process that worked on a job ended without a word, twice: most often out of memory."""


class Conductor(Protocol):
    """Does jobs."""

    def map(
        self, work: Callable[[J], R], jobs: Sequence[J], *, label: str, processes: int = 1
    ) -> Iterator[tuple[J, R | Exception]]:
        """Do every job; yield each with its result, or its error, as they are done.

        An error of the data (:class:`CellcensusError`) is final; any other is tried again first.
        """


class LocalConductor:
    """Does jobs in this process, or in a pool of fresh ones where ``processes`` allows.

    ``shared`` is a pool that others use before and after; without it each call has its own.
    """

    def __init__(self, shared: SharedPool | None = None) -> None:
        self._shared = shared

    def map(
        self, work: Callable[[J], R], jobs: Sequence[J], *, label: str, processes: int = 1
    ) -> Iterator[tuple[J, R | Exception]]:
        """See :class:`Conductor`."""
        if min(processes, len(jobs)) <= 1:
            for job in jobs:
                yield job, attempt(work, job)
            return
        unfinished = list(jobs)
        for job, result in self._pooled(work, jobs, min(processes, len(jobs))):
            unfinished.remove(job)
            yield job, result
        # A worker that dies takes the whole pool with it, and nobody can tell which job it was:
        # what is left is done one by one, each in a process of its own.
        for job in unfinished:
            log.warning("%s: a worker process died; going on one by one", label)
            yield job, _alone(work, job)

    def _pooled(
        self, work: Callable[[J], R], jobs: Sequence[J], processes: int
    ) -> Iterator[tuple[J, R | Exception]]:
        """Do jobs until a process dies."""
        with self._shared.use() if self._shared else pool_of(processes) as pool:
            try:
                waiting = {pool.submit(attempt, work, job): job for job in jobs}
                while waiting:
                    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                    for future in done:
                        if isinstance(future.exception(), BrokenProcessPool):
                            raise BrokenProcessPool
                        yield waiting.pop(future), _result(future)
            except BrokenProcessPool:
                if self._shared:
                    self._shared.renew()


def attempt(work: Callable[[J], R], job: J) -> R | Exception:
    """Do one job; its result, or the error of the last attempt."""
    error: Exception | None = None
    for _ in range(ATTEMPTS):
        try:
            return work(job)
        except CellcensusError as final:
            return final
        except Exception as again:
            # A disk or network that hiccuped deserves another try, and so costs nothing to others.
            log.debug("attempt failed", exc_info=True)
            error = again
    assert error is not None
    return error


def batches(jobs: Sequence[J], most: int) -> list[list[J]]:
    """Cut jobs into at most ``most`` batches whose sizes differ by one at most, in order."""
    number = min(most, len(jobs))
    if number == 0:
        return []
    size, longer = divmod(len(jobs), number)
    cuts = [index * size + min(index, longer) for index in range(number + 1)]
    return [list(jobs[start:end]) for start, end in pairwise(cuts)]


def _result(future: Future[R | Exception]) -> R | Exception:
    error = future.exception()
    if error is None:
        return future.result()
    # For example a result that cannot be sent back.
    return error if isinstance(error, Exception) else RuntimeError(repr(error))


def _alone(work: Callable[[J], R], job: J) -> R | Exception:
    with pool_of(1) as pool:
        future = pool.submit(attempt, work, job)
        if isinstance(future.exception(), BrokenProcessPool):
            return WorkerDiedError("the process working on it died, probably for lack of memory")
        return _result(future)
