"""Commands in children of this process, which may be killed or given a disk that fails.

Stand-ins take the place of pipeline and models: what is tested is what the service does itself,
files, rows and locks, hundreds of times a minute.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.databases import Databases, InHome
from cellcensus.errors import CellcensusError
from cellcensus.settings import Settings
from db.schema import migrate, upgrade
from db.store import Store, open_engine
from db.studies import record_study
from flows.context import open_context
from flows.ingest import ingest_study
from flows.intake import read
from flows.predict import predict_study
from flows.report import report_study
from flows.retrain import retrain
from flows.train import train_model
from tests.flows.conftest import Folder
from tests.flows.homes import content_of, files_of

POOR, GOOD = 2, 1
"""Seeds of the stand-in's training: the retraining is better than the first one."""

PLAN = "verification: {share: 0.3, fewest: 1}\nacceptance: {fewest_donors: 3}\n"


Command = Callable[[Path, Path, str], None]
"""What a stage does with a study, a home, and the address of its database."""


def _with(seed: int, work: Callable[[Any, Path], Any]) -> Command:
    def command(study: Path, home: Path, address: str) -> None:
        settings = Settings(home=home, processes=1, training={"seed": seed}, database_url=address)
        with open_context(settings) as ctx:
            work(ctx, study)

    return command


COMMANDS: dict[str, Command] = {
    "migration": lambda _study, _home, address: _only(upgrade(address)),
    "ingest": _with(POOR, ingest_study),
    "train": _with(POOR, lambda ctx, study: train_model(ctx, [study])),
    "predict": _with(POOR, predict_study),
    "report": _with(POOR, report_study),
    "retrain": _with(GOOD, lambda ctx, study: retrain(ctx, [study])),
}
"""Stage → the command that does it, in the order in which a home meets them."""


HEAVY = (
    *(
        "alembic.command",
        "models.bag",
        "pandas",
        "pyarrow.parquet",
        "scipy.stats",
        "scipy.optimize",
    ),
    *("cv2", "reports.specimen", "reports.study", "reports.charts.agreement", "flows.report"),
)


def load_heavy() -> None:
    """Load what children would load: a process that only loads has nothing that could be lost."""
    for name in HEAVY:
        import_module(name)


def _only(_result: object) -> None:
    pass


def child_of(work: Callable[[], None]) -> int:
    """Begin ``work`` in a forked child; its process id. It ends with 0, or 3 for a surprise."""
    pid = os.fork()
    if pid:
        return pid
    code = 3
    try:
        work()
        code = 0
    except (CellcensusError, OSError):
        code = 1  # said in words, and the work is left undone
    finally:
        os._exit(code)


def end_of(pid: int) -> int:
    """Wait for a child; its exit code, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def kill_after(pid: int, seconds: float) -> bool:
    """``kill -9`` a child after so long; whether it was still at work."""
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    return end_of(pid) == -signal.SIGKILL


@dataclass
class Station:
    """A stage of a home's life: the home before it, what it holds after, and how long it takes."""

    stage: str
    before: Path
    content: dict[str, list[str]]
    files: dict[str, str | None]
    lasts: float
    databases: Databases = field(default_factory=InHome)

    def again(self, home: Path) -> None:
        """Make ``home`` as it was before the stage."""
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(self.before, home)
        self.databases.copy(self.before, home)

    def command(self, study: Path, home: Path) -> Callable[[], None]:
        """The stage's command, ready to begin."""
        address = self.databases.address(home)
        return lambda: COMMANDS[self.stage](study, home, address)

    def differs(self, home: Path) -> str:
        """What is different from the undisturbed home; empty if nothing is."""
        if content_of(home, self.databases.address(home)) != self.content:
            return "the database differs"
        if files_of(home) != self.files:
            return "the files differ"
        return "temporary files are left" if list(home.rglob(".partial-*")) else ""


def stations(folder: Path, databases: Databases) -> tuple[Path, list[Station]]:
    """Run every stage undisturbed; the study, and each stage with the home before it."""
    study = _study(folder / "study")
    home, found = folder / "home", []
    home.mkdir()
    (home / "change_plan.yaml").write_text(PLAN)
    databases.copy(None, home)
    address = databases.address(home)
    _earlier(study, address)
    for stage in COMMANDS:
        before = folder / f"before-{stage}"
        shutil.copytree(home, before)
        databases.copy(home, before)
        station = Station(stage, before, {}, {}, 0.0, databases)
        began = time.monotonic()
        if end_of(child_of(station.command(study, home))) != 0:
            raise SystemExit(f"{stage} fails undisturbed")
        station.lasts = time.monotonic() - began
        station.content, station.files = content_of(home, address), files_of(home)
        found.append(station)
    return study, found


def _study(path: Path) -> Path:
    folder = Folder(path)
    for number in range(5):
        folder.add(f"M1{number}", "mixed", f"D1{number}", "round " * (number + 3) + "lobed " * 5)
    folder.write()
    return path


def _earlier(study: Path, address: str) -> None:
    """The database of a home of the first version, with the study's rows in it."""
    engine = open_engine(address)
    with engine.execution_options(begin="IMMEDIATE").begin() as connection:
        migrate(connection, "0001")
    engine.dispose()
    store = Store(address)
    with store.unit_of_work() as session:
        record_study(session, read(study)[0])
        session.commit()
    store.close()
