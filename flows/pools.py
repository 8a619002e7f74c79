"""Pools of processes that find cells: spawned, quiet, and shared by the batches of one stage."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from multiprocessing import get_context
from threading import Event, Lock
from typing import TypeVar
from uuid import uuid4

J = TypeVar("J")
R = TypeVar("R")

#: Seconds that a process may take to leave its job.
_LEAVE = 5


class SharedPool:
    """One pool for several batches, since each of its processes needs a second or more to begin.

    A pool that lost a process is of no use any more: :meth:`renew` it.
    """

    def __init__(self, processes: int) -> None:
        self.processes = processes
        self.life, self._lock = ExitStack(), Lock()
        self._pool: ProcessPoolExecutor | None = None

    def use(self) -> AbstractContextManager[ProcessPoolExecutor]:
        """The pool, begun at the first use."""
        with self._lock:  # batches may be threads
            if self._pool is None:
                self._pool = self.life.enter_context(pool_of(self.processes))
            return nullcontext(self._pool)

    def renew(self) -> None:
        """Let the next use begin another pool."""
        self._pool = None


_shared: dict[str, SharedPool] = {}


@contextmanager
def shared_pool(processes: int) -> Iterator[str]:
    """Share a pool with every batch that runs in this process meanwhile; the name to ask for."""
    name, pool = uuid4().hex, SharedPool(processes)
    _shared[name] = pool
    try:
        with pool.life:
            yield name
    finally:
        del _shared[name]


def pool_named(name: str) -> SharedPool | None:
    """The pool shared under that name; ``None`` in a process that does not have it."""
    return _shared.get(name)


@contextmanager
def pool_of(processes: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of fresh processes, which ends with the block, at once where it ends by an error."""
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
            process.join(_LEAVE)
            process.kill()
        raise


def submit(pool: ProcessPoolExecutor, work: Callable[[J], R], job: J) -> Future[R]:
    """Have a job done in the pool.

    Raises
    ------
    BrokenProcessPool
        One of its processes died.
    """
    # Ctrl-C reaches every process of the terminal; the parent alone answers it. A process begun
    # here keeps its deaf ear from its first moment on.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(_unless_leaving, work, job)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_leaving = Event()


def _unless_leaving(work: Callable[[J], R], job: J) -> R:
    # The executor's loop takes an exit for the result of a job, and goes on with the next.
    try:
        if not _leaving.is_set():
            return work(job)
    except SystemExit:
        pass
    os._exit(1)


def _leave(_number: int, _frame: object) -> None:
    _leaving.set()
    sys.exit(1)


def _begin_worker() -> None:
    signal.signal(signal.SIGTERM, _leave)
    # One thread each: the processes already fill the cores.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    # Decoders write about damaged recordings to the terminal; what they say is raised as an error.
    quiet = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(quiet, stream)
    os.close(quiet)
