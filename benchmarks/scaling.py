"""How time and memory of the ingest grow with the recording, and with processes.

Usage::

    python -m benchmarks.scaling [--frames N] [--recordings N]

Each run is a process of its own, start-up included where it says so.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.speed import render
from cellcensus.settings import IngestSettings
from cellcensus.study import Acquisition, CellHints, Mode, Polarity


def ingest_all(folder: Path, names: list[str]) -> dict[str, float]:
    """Ingest recordings one after the other in this process: seconds of the last, and peak MB."""
    from pipeline.ingest import ingest

    wall, processor, cells = time.perf_counter(), time.process_time(), 0
    for name in names:
        if name == names[-1]:
            wall, processor = time.perf_counter(), time.process_time()
        cells += ingest(
            name,
            folder=folder,
            acquisition=Acquisition(Mode.FLOW, 0.4, 50.0),
            hints=CellHints((5.0, 20.0), Polarity.DARK),
            settings=IngestSettings(),
            out=folder / "out" / name,
            specimen_id=name,
        ).n_cells
    return {
        "wall": time.perf_counter() - wall,
        "processor": time.process_time() - processor,
        "megabytes": _peak_megabytes(),
        "cells": cells,
    }


def _peak_megabytes() -> float:
    """Most memory that this process ever had; ``getrusage`` may say its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def _apart(folder: Path, names: list[str]) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.scaling", "--one", str(folder), *names]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def longer(frames: int) -> None:
    """Print what a recording ten times as long takes."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, found = Path(temporary), {}
        render(folder / "warm.mp4", 640, 480, "mp4v", 300)
        for length in (frames, 10 * frames):
            render(folder / f"{length}.mp4", 640, 480, "mp4v", length)
            # The first loads what was compiled, which takes as long however long the recording is.
            found[length] = _apart(folder, ["warm.mp4", f"{length}.mp4"])
        one, ten = found.values()
        print(
            f"ten times as long ({frames} frames and {10 * frames}): "
            f"time ×{ten['wall'] / one['wall']:.2f}, "
            f"processor time ×{ten['processor'] / one['processor']:.2f}, "
            f"peak memory {one['megabytes']:.0f} and {ten['megabytes']:.0f} MB "
            f"({ten['megabytes'] / one['megabytes'] - 1:+.1%})"
        )


def spread(recordings: int, frames: int) -> None:
    """Print what a pool of two processes gains over one."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        names = [f"{number}.mp4" for number in range(recordings)]
        render(folder / names[0], 640, 480, "mp4v", frames)
        content = (folder / names[0]).read_bytes()
        for name in names[1:]:
            (folder / name).write_bytes(content)
        seconds = {}
        for processes in (1, 2):
            with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
                list(pool.map(ingest_all, [folder] * processes, [names[:1]] * processes))
                began = time.perf_counter()
                list(pool.map(ingest_all, [folder] * recordings, [[name] for name in names]))
                seconds[processes] = time.perf_counter() - began
        print(f"{recordings} recordings, 2 processes over 1: ×{seconds[1] / seconds[2]:.2f}")


def main(arguments: list[str]) -> int:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--frames", type=int, default=1500)
    parser.add_argument("--recordings", type=int, default=20)
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.one:
        print(json.dumps(ingest_all(Path(chosen.one[0]), chosen.one[1:])))
        return 0
    longer(chosen.frames)
    spread(chosen.recordings, chosen.frames)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
