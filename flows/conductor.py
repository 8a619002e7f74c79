"""Who does many jobs: this process, a pool of processes, or Prefect's tasks.

A job is a small picklable value (ids and paths), its work a function of a module; results are small
too. Arrays stay in files.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from itertools import chain, islice, pairwise
from multiprocessing import current_process
from typing import Protocol, TypeVar

from cellcensus.errors import CellcensusError
from flows.pools import SharedPool, pool_of, submit

J = TypeVar("J")
R = TypeVar("R")

ATTEMPTS = 2

log = logging.getLogger("cellcensus.flows")


class WorkerDiedError(Exception):
    """The process that worked on a job ended without a word, twice: most often out of memory."""


class Conductor(Protocol):
    """Does jobs."""

    def map(
        self, work: Callable[[J], R], jobs: Iterable[J], *, label: str, processes: int = 1
    ) -> Iterator[tuple[J, R | Exception]]:
        """Do every job; yield each with its result, or its error, as they are done.

        Jobs may come from a generator, which is asked for more as there is time for them.
        An error of the data (:class:`CellcensusError`) is final; any other is tried again first.
        """

    def at_once(self, processes: int) -> int:
        """How many jobs it can make use of at a time."""


class LocalConductor:
    """Does jobs in this process, or in a pool of fresh ones where ``processes`` allows.

    ``shared`` is a pool that others use before and after; without it each call has its own.
    """

    def __init__(self, shared: SharedPool | None = None) -> None:
        self._shared = shared

    def map(
        self, work: Callable[[J], R], jobs: Iterable[J], *, label: str, processes: int = 1
    ) -> Iterator[tuple[J, R | Exception]]:
        """See :class:`Conductor`."""
        waiting = iter(jobs)
        first = list(islice(waiting, 2))
        # A daemon, such as a worker of a cluster, may have no processes of its own.
        if processes <= 1 or len(first) < 2 or current_process().daemon:
            for job in chain(first, waiting):
                yield job, attempt(work, job)
            return
        waiting, unfinished = chain(first, waiting), [first[0]]
        while unfinished:
            unfinished = []
            yield from self._pooled(work, waiting, processes, unfinished)
            # A worker that dies takes the whole pool with it, and nobody can tell which job it
            # was: what was begun is done one by one, each in a process of its own.
            for job in unfinished:
                log.warning("%s: a worker process died; going on one by one", label)
                yield job, _alone(work, job)

    def at_once(self, processes: int) -> int:
        """See :class:`Conductor`."""
        return max(1, processes)

    def _pooled(
        self, work: Callable[[J], R], jobs: Iterator[J], processes: int, unfinished: list[J]
    ) -> Iterator[tuple[J, R | Exception]]:
        """Do jobs until a process dies; those begun by then go to ``unfinished``."""
        with self._shared.use() if self._shared else pool_of(processes) as pool:
            waiting: dict[Future[R | Exception], J] = {}
            _fill(pool, work, jobs, waiting, processes)
            while waiting:
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    if isinstance(future.exception(), BrokenProcessPool):
                        unfinished.extend(waiting.values())
                        if self._shared:
                            self._shared.renew()
                        return
                    yield waiting.pop(future), _result(future)
                _fill(pool, work, jobs, waiting, processes)


def _fill(
    pool: ProcessPoolExecutor,
    work: Callable[[J], R],
    jobs: Iterator[J],
    waiting: dict[Future[R | Exception], J],
    processes: int,
) -> None:
    # One more than can run, a process: nobody is idle while the next jobs are looked for.
    for job in islice(jobs, 2 * processes - len(waiting)):
        try:
            future = submit(pool, partial(attempt, work), job)
        except BrokenProcessPool as error:
            future = Future()
            future.set_exception(error)
        waiting[future] = job


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
        future = submit(pool, partial(attempt, work), job)
        if isinstance(future.exception(), BrokenProcessPool):
            return WorkerDiedError("the process working on it died, probably for lack of memory")
        return _result(future)
