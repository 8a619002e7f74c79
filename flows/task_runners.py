"""Where the batches of a scheduled flow are done: in its process, or on a Dask cluster."""

from __future__ import annotations

import os
from typing import Any

from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from cellcensus.errors import UsageError
from cellcensus.settings import Settings


def task_runner(settings: Settings) -> TaskRunner[Any]:
    """The task runner that the settings name.

    Raises
    ------
    UsageError
        It is ``dask``, and prefect-dask is not installed.
    """
    if settings.conductor.runner == "local":
        # One batch after the other: each uses all cores.
        return ThreadPoolTaskRunner(max_workers=1)
    try:
        from prefect_dask import DaskTaskRunner
    except ImportError as error:
        raise UsageError(
            "CELLCENSUS_CONDUCTOR__RUNNER is dask, but prefect-dask is not installed",
            next_step="`pip install 'cellcensus[scale]'`, here and on every worker of the cluster",
        ) from error
    if settings.conductor.dask_address:
        return DaskTaskRunner(address=settings.conductor.dask_address)
    workers = settings.processes or len(os.sched_getaffinity(0))
    return DaskTaskRunner(cluster_kwargs={"n_workers": workers, "threads_per_worker": 1})
