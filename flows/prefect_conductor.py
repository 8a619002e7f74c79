"""Prefect as the conductor: a task run is a batch of specimens, with retries."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar, cast

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture
from prefect.logging import get_run_logger

from flows.conductor import LocalConductor, batches
from flows.pools import pool_named, shared_pool

J = TypeVar("J")
R = TypeVar("R")

MOST_BATCHES = 60
"""Batches of one stage: three stages of a run in batches stay below 200 task runs."""

SMALLEST_BATCH = 8
"""Where a batch has to start a pool of processes of its own, it should be worth the seconds."""


class Batch:
    """Work and the jobs to do it on; a class of its own, so that nobody looks into it.

    Prefect would look for futures in every job and keep what it finds, and Dask takes collections
    apart, Prefect's ``quote`` included.
    """

    def __init__(self, work: Callable[[Any], Any], jobs: list[Any]) -> None:
        self.work = work
        self.jobs = jobs


@task(
    name="batch",
    task_run_name="{name}",
    retries=2,
    retry_delay_seconds=[5, 60],
    persist_result=False,
    cache_policy=NO_CACHE,
)
def run_batch(name: str, batch: Batch, processes: int, pool: str) -> list[Any]:
    """Do one batch of jobs; their results or errors, in any order.

    ``pool`` names a pool of processes, which is used where this runs beside the flow.
    """
    get_run_logger().info("%s: %d specimens", name, len(batch.jobs))
    conductor = LocalConductor(pool_named(pool))
    return list(conductor.map(batch.work, batch.jobs, label=name, processes=processes))


class PrefectConductor:
    """Cuts jobs into batches and lets Prefect run them as tasks.

    The flow's task runner decides where: one after the other in this process, which uses all cores
    within a batch, or on the workers of a cluster.
    """

    @staticmethod
    def most(jobs: int) -> int:
        """How many batches so many jobs are cut into."""
        return min(MOST_BATCHES, -(-jobs // SMALLEST_BATCH))

    def map(
        self, work: Callable[[J], R], jobs: Iterable[J], *, label: str, processes: int = 1
    ) -> Iterator[tuple[J, R | Exception]]:
        """See :class:`flows.conductor.Conductor`."""
        known = list(jobs)
        cut = batches(known, self.most(len(known)))
        with shared_pool(min(processes, max(map(len, cut), default=1))) as pool:
            futures: list[PrefectFuture[Any]] = [
                cast(Any, run_batch).submit(
                    f"{label}-{number}", Batch(work, batch), processes, pool
                )
                for number, batch in enumerate(cut, start=1)
            ]
            for batch, future in zip(cut, futures, strict=True):
                yield from _results(batch, future)

    def at_once(self, processes: int) -> int:
        """All there are: batches are cut once, and a cluster shares them out by itself."""
        return sys.maxsize


def _results(batch: list[J], future: PrefectFuture[Any]) -> Iterator[tuple[J, Any]]:
    result = future.result(raise_on_failure=False)
    if isinstance(result, list):
        yield from result
    else:  # the batch failed for good: its machine is gone, or was told to stop
        error = result if isinstance(result, Exception) else RuntimeError(str(result))
        yield from ((job, error) for job in batch)


class LogProgress:
    """Tells Prefect's log when a job begins and ends."""

    def __init__(self) -> None:
        self._label = ""

    def start(self, label: str, total: float) -> None:
        """Log the beginning."""
        self._label = label
        get_run_logger().info("%s: %d to do", label, total)

    def advance(self, units: float = 1.0) -> None:
        """Say nothing: batches are seen as task runs."""

    def finish(self, note: str = "") -> None:
        """Log the end."""
        get_run_logger().info("%s: %s", self._label, note or "done")
