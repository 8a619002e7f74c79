"""What orchestration costs: Prefect, database, locks, files; and whether time grows linearly.

Usage::

    python -m benchmarks.overhead [--sizes N …] [--specimens N] [--seconds S] [--no-prefect]

Stand-ins that sleep take the place of pipeline and models, so that all time beyond the sleep is
orchestration. It does not depend on how long the sleep is; a batch that lasts ten minutes is
therefore scaled down in one thing only, the sleep, never in the number of specimens, and what is
measured is set against the ten minutes. Workers of a pool are real processes that import what the
real ones import. Needs the checkout: it uses the tests' stand-ins and their Prefect server.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.nap import nap
from benchmarks.speed import timed
from cellcensus.settings import Settings
from flows.context import open_context
from flows.run import run_study
from tests.flows import standins
from tests.flows.conftest import Folder
from tests.flows.driver import Forever

BATCH_S = 600.0
SHARES = {"ingest": 0.8, "predict": 0.2}
"""How a specimen's time is divided; training is left out, it is one call however many there are."""

slept = 0.0


@dataclass(frozen=True)
class Cost:
    """One run: specimens, seconds it lasted and slept, and processor seconds, children's too."""

    specimens: int
    wall: float
    slept: float
    processor: float

    @property
    def own(self) -> float:
        """Seconds beyond the sleep."""
        return self.wall - self.slept


def install(seconds: float) -> None:
    """Put stand-ins in place that sleep so many seconds a specimen, in all."""
    standins.installed(Forever)
    for module, name in (("pipeline.ingest", "ingest"), ("models.prediction", "predict")):
        _let_sleep(sys.modules[module], name, SHARES[name] * seconds)


def _let_sleep(module: Any, name: str, seconds: float) -> None:
    real = getattr(module, name)

    def sleepy(*arguments: Any, **keywords: Any) -> Any:
        global slept  # noqa: PLW0603 - one process, one measurement at a time
        began = time.perf_counter()
        time.sleep(seconds)
        slept += time.perf_counter() - began
        return real(*arguments, **keywords)

    setattr(module, name, sleepy)


def study(folder: Path, specimens: int) -> Path:
    """A study of so many specimens, half of them to be predicted only."""
    made = Folder(folder)
    for number in range(specimens - len(made.rows)):
        role = "mixed" if number % 2 else "unknown"
        content = "round " * (number % 5 + 3) + "lobed " * 5
        made.add(f"X{number:04}", role, f"E{number:04}", content)
    made.write()
    return folder


def cost(specimens: int, work: Callable[[Path, Path], None]) -> Cost:
    """Run ``work(study, home)`` on a new study."""
    global slept
    with tempfile.TemporaryDirectory(prefix="cellcensus-") as place:
        folder = study(Path(place) / "study", specimens)
        slept, before = 0.0, _processor()
        took = timed(lambda: work(folder, Path(place) / "home"))
        return Cost(specimens, took.wall, slept, _processor() - before)


def _processor() -> float:
    return sum(os.times()[:4])


def in_process(folder: Path, home: Path) -> None:
    """The run as the command does it."""
    with open_context(Settings(home=home, processes=1)) as ctx:
        run_study(ctx, folder)


def under_prefect(folder: Path, home: Path) -> None:
    """The run as a flow of a Prefect server."""
    from flows import prefect_flows

    state = prefect_flows.run(str(folder), home=str(home), return_state=True)
    if not state.is_completed():
        raise SystemExit(f"the flow failed: {state.message}")


def deviations(sizes: Sequence[int], seconds: Sequence[float]) -> list[float]:
    """How far each time lies from the straight line through all, as a share of the line."""
    line = np.polyval(np.polyfit(sizes, seconds, 1, w=1 / np.asarray(sizes)), sizes)
    return [float(value) for value in np.asarray(seconds) / line - 1]


def linearity(sizes: Sequence[int]) -> None:
    """Print the time of whole runs of growing size, and how straight it grows."""
    install(0.05)
    cost(sizes[-1] if len(sizes) < 2 else sizes[1], in_process)  # imports are paid once
    costs = [cost(size, in_process) for size in sizes]
    whole = deviations(sizes, [one.wall for one in costs])
    own = deviations(sizes, [one.processor for one in costs])
    print("Growth: 0.05 s of sleep a specimen, in this process")
    print(
        f"{'specimens':>10}{'s':>8}{'off line':>10}{'own, ms a specimen':>20}{'cpu off line':>14}"
    )
    for one, off, cpu in zip(costs, whole, own, strict=True):
        each = 1000 * one.own / one.specimens
        print(f"{one.specimens:>9}{one.wall:>8.2f}{off:>+10.1%}{each:>20.1f}{cpu:>+14.1%}")


def share(specimens: int, seconds: float, folder: Path | None) -> None:
    """Print what a batch of ten minutes spends on orchestration."""
    install(seconds / specimens)
    scale = f"{BATCH_S / seconds:.0f} times shorter sleep"
    print(f"A batch of {specimens} specimens in ten minutes ({scale}):")
    _line("in this process", cost(specimens, in_process))
    if folder is None:
        return
    from tests.prefectserver import connected_to, prefect_server

    os.environ["CELLCENSUS_PROCESSES"] = "1"  # stand-ins exist in this process only
    with prefect_server(folder) as server, connected_to(server.api, folder / "client"):
        cost(10, under_prefect)
        _line("under a Prefect server", cost(specimens, under_prefect))
        _line("its recordings, in a pool", pooled(specimens))


def _line(name: str, found: Cost) -> None:
    wall, processor = found.own / BATCH_S, found.processor / BATCH_S
    print(
        f"  {name:<26}{found.own:>7.2f} s, {wall:.2%} of ten minutes; "
        f"{found.processor:.2f} s of processor, {processor:.2%}",
        flush=True,
    )


def pooled(specimens: int, processes: int = 2, seconds: float = 0.25) -> Cost:
    """What it costs to do recordings in a pool, in the batches of a flow."""
    from prefect import flow
    from prefect.task_runners import ThreadPoolTaskRunner

    from flows.conductor import batches
    from flows.prefect_conductor import PrefectConductor

    @flow(name="naps", persist_result=False, task_runner=ThreadPoolTaskRunner(max_workers=1))
    def naps() -> int:
        jobs = [seconds] * specimens
        done = PrefectConductor().map(nap, jobs, label="nap", processes=processes)
        return sum(1 for _ in done)

    before = _processor()
    took = timed(naps)
    # Batch by batch: within each, every process sleeps as often as its share of jobs.
    cut = batches(range(specimens), PrefectConductor.most(specimens))
    rounds = sum(-(-len(batch) // processes) for batch in cut)
    return Cost(specimens, took.wall, seconds * rounds, _processor() - before)


def main(arguments: list[str]) -> int:
    """Print growth and share."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 25, 50, 100, 200])
    parser.add_argument("--specimens", type=int, default=120, help="of the ten-minute batch")
    parser.add_argument("--seconds", type=float, default=30.0, help="of sleep in its place")
    parser.add_argument("--no-prefect", action="store_true", help="without a server")
    chosen = parser.parse_args(arguments)
    logging.disable(logging.WARNING)
    print(f"Load of this machine: {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores")
    linearity(chosen.sizes)
    with tempfile.TemporaryDirectory(prefix="cellcensus-") as folder:
        share(chosen.specimens, chosen.seconds, None if chosen.no_prefect else Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
