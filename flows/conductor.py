"""Who does many jobs: this process, a pool of processes, or Prefect's tasks.

A job is a small picklable value (ids and paths), its work a function of a module; results are small
too. Arrays stay in files.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain, islice, pairwise
from multiprocessing import current_process, get_context
from typing import Protocol, TypeVar

from cellcensus.errors import CellcensusError

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
    """Does jobs in this process, or in a pool of fresh ones where ``processes`` allows."""

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
            yield from _pooled(work, waiting, processes, unfinished)
            # A worker that dies takes the whole pool with it, and nobody can tell which job it
            # was: what was begun is done one by one, each in a process of its own.
            for job in unfinished:
                log.warning("%s: a worker process died; going on one by one", label)
                yield job, _alone(work, job)

    def at_once(self, processes: int) -> int:
        """See :class:`Conductor`."""
        return max(1, processes)


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


def _pooled(
    work: Callable[[J], R], jobs: Iterator[J], processes: int, unfinished: list[J]
) -> Iterator[tuple[J, R | Exception]]:
    """Do jobs in a pool; those begun when it broke go to ``unfinished``."""
    with _pool(processes) as pool:
        waiting: dict[Future[R | Exception], J] = {}
        _fill(pool, work, jobs, waiting, processes)
        while waiting:
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                if isinstance(future.exception(), BrokenProcessPool):
                    unfinished.extend(waiting.values())
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
            future = pool.submit(attempt, work, job)
        except BrokenProcessPool as error:
            future = Future()
            future.set_exception(error)
        waiting[future] = job


def _result(future: Future[R | Exception]) -> R | Exception:
    error = future.exception()
    if error is None:
        return future.result()
    # For example a result that cannot be sent back.
    return error if isinstance(error, Exception) else RuntimeError(repr(error))


def _alone(work: Callable[[J], R], job: J) -> R | Exception:
    with _pool(1) as pool:
        future = pool.submit(attempt, work, job)
        if isinstance(future.exception(), BrokenProcessPool):
            return WorkerDiedError("the process working on it died, probably for lack of memory")
        return _result(future)


@contextmanager
def _pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    # Spawned, not forked: a fork copies the threads' locks of OpenCV and torch in any state.
    pool = ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=_begin_worker
    )
    workers = pool._processes  # the executor forgets them at shutdown
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        # Ctrl-C, or the caller has had enough: do not wait for recordings half way through.
        running = list((workers or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in running:
            process.terminate()
        for process in running:
            process.join(5)
        raise


def _begin_worker() -> None:
    # Ctrl-C reaches every process of the terminal; the parent alone answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))
    # One thread each: the processes already fill the cores.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    # Decoders write about damaged recordings to the terminal; what they say is raised as an error.
    quiet = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(quiet, stream)
    os.close(quiet)
