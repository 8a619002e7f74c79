"""How many power cuts and disk faults are survived, by stage.

Usage::

    python -m benchmarks.resilience [--kills N] [--faults N] [--seed N] [--database postgresql]

Each stage's command is killed with ``kill -9`` at a random instant, some twice in a row, or meets a
disk whose N-th write, fsync, replace or commit fails (full for good, or once with an I/O error).
Then the same command runs again. Survived: every row and every file equals those of a home that
was never disturbed, and no temporary file is left. Needs the checkout: it uses the tests' stand-ins
in place of the heavy work, so that nearly all of the time is spent in what could be torn apart.
"""

from __future__ import annotations

import argparse
import errno
import logging
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.databases import Databases, databases
from benchmarks.interrupted import Station, child_of, end_of, kill_after, load_heavy, stations
from tests.flows import standins
from tests.flows.driver import Forever
from tests.flows.test_faults import Disk

KINDS = {"full": (errno.ENOSPC, False), "hiccup": (errno.EIO, True)}
_MOST_TRIES = 20


@dataclass
class Tally:
    """What happened so far, by stage."""

    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Ground:
    """Where it happens."""

    study: Path
    home: Path
    draw: random.Random

    def command(self, station: Station) -> Callable[[], None]:
        """The stage's command, ready to begin."""
        return station.command(self.study, self.home)


def kill(ground: Ground, station: Station, tally: Tally) -> None:
    """Kill the stage's command until one kill hits, one time in three also the repetition."""
    for _ in range(_MOST_TRIES):
        station.again(ground.home)
        hits = 0
        for _ in range(1 + (ground.draw.random() < 1 / 3)):
            pid = child_of(ground.command(station))
            hits += kill_after(pid, ground.draw.uniform(0, station.lasts))
        if hits:
            break
    tally.kills[station.stage] += hits
    _repeat(ground, station, tally, f"killed during {station.stage}")


def fault(ground: Ground, station: Station, tally: Tally, kind: str, at: int) -> None:
    """Let the stage's command meet a failing disk, then repeat it on a sound one."""
    station.again(ground.home)
    code, once = KINDS[kind]
    pid = child_of(_on_a_bad_disk(ground.command(station), code, once=once, at=at))
    name = f"{kind} at write {at} of {station.stage}"
    if end_of(pid) == 3:
        tally.lost.append(f"{name}: no words for it")
    tally.faults[station.stage] += 1
    _repeat(ground, station, tally, name)


def _on_a_bad_disk(
    command: Callable[[], None], code: int, *, once: bool, at: int | None, note: Path | None = None
) -> Callable[[], None]:
    def work() -> None:
        disk = Disk(Forever, code, fails_at=at, once=once)
        try:
            command()
        finally:
            disk.fails_at = None
            if note:
                note.write_text(str(disk.count))

    return work


def _repeat(ground: Ground, station: Station, tally: Tally, name: str) -> None:
    code = end_of(child_of(ground.command(station)))
    wrong = f"ended with {code}" if code else station.differs(ground.home)
    if wrong:
        tally.lost.append(f"{name}: {wrong}")


def _writes(ground: Ground, station: Station) -> int:
    """How often the stage writes, syncs, replaces and commits when nothing fails."""
    station.again(ground.home)
    note = ground.home.parent / "writes"
    command = _on_a_bad_disk(ground.command(station), 0, once=False, at=None, note=note)
    end_of(child_of(command))
    return int(note.read_text())


def measure(
    folder: Path, kills: int, faults: int, seed: int, bases: Databases
) -> tuple[Tally, list[Station]]:
    """Disturb every stage in turn until there were so many kills and faults."""
    study, found = stations(folder, bases)
    ground, tally = Ground(study, folder / "disturbed", random.Random(seed)), Tally()
    while sum(tally.kills.values()) < kills:
        for station in found:
            kill(ground, station, tally)
    each = -(-faults // (len(found) * len(KINDS))) if faults else 0
    for station in found if each else ():
        writes = _writes(ground, station)
        for kind in KINDS:
            for place in range(min(each, writes)):
                fault(ground, station, tally, kind, 1 + place * writes // min(each, writes))
    return tally, found


def show(tally: Tally, found: list[Station]) -> None:
    """Print the table, and whatever was not survived."""
    print(f"{'stage':<12}{'lasts, s':>10}{'kills':>8}{'faults':>8}")
    for station in found:
        of = station.stage
        print(f"{of:<12}{station.lasts:>10.2f}{tally.kills[of]:>8}{tally.faults[of]:>8}")
    print(f"{'all':<22}{sum(tally.kills.values()):>8}{sum(tally.faults.values()):>8}")
    print(
        "\n".join(tally.lost) or "all survived: rows and files equal those of an undisturbed home"
    )


def main(arguments: list[str]) -> int:
    """Print the table; 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=50, help="kills at least, over all stages")
    parser.add_argument("--faults", type=int, default=60, help="faults at most, over all stages")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    chosen = parser.parse_args(arguments)
    logging.disable(logging.WARNING)  # what children say of the faults they met
    standins.installed(Forever)
    load_heavy()
    with (
        tempfile.TemporaryDirectory(prefix="cellcensus-") as folder,
        databases(chosen.database) as bases,
    ):
        tally, found = measure(Path(folder), chosen.kills, chosen.faults, chosen.seed, bases)

    show(tally, found)
    return 1 if tally.lost else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
