"""What every stage is given, and what it gives back."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from cellcensus import __version__
from cellcensus.errors import StoreError
from cellcensus.files import sweep_leftovers
from cellcensus.logs import close_log, open_log
from cellcensus.machine import machine_name
from cellcensus.progress import Progress, Silent
from cellcensus.settings import Settings
from db.runs import abandon_runs
from db.schema import upgrade
from db.store import Store
from flows.conductor import Conductor, LocalConductor
from flows.locks import Presence

if TYPE_CHECKING:
    from flows.together import Others

PATIENCE_S = 60.0
"""How long a run waits for a database that is started anew."""


@dataclass
class Outcome:
    """What a stage did.

    Parameters
    ----------
    done, skipped
        Specimens (models, reports) made now, and those that were up to date.
    quarantined
        ``(specimen_id, reason)`` of those set aside, now or before.
    next_steps
        What a person can do about each of these.
    promoted
        Whether ``model_id`` became the champion by this.
    raised
        Codes of drift that people should look at, new since the last time.
    failed
        ``(what, reason)`` of what could not be done though nothing is wrong with a specimen.
    """

    stage: str
    study: str | None = None
    done: int = 0
    skipped: int = 0
    quarantined: list[tuple[str, str]] = field(default_factory=list)
    next_steps: dict[str, str] = field(default_factory=dict)
    failed: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    model_id: str | None = None
    promoted: bool = False
    report: Path | None = None
    raised: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 done, 1 failed, 3 done but some specimens are quarantined."""
        if self.failed:
            return 1
        return 3 if self.quarantined else 0

    @property
    def state(self) -> str:
        """The same, as a run is recorded."""
        return {0: "done", 1: "failed", 3: "partial"}[self.exit_code]

    def summary(self) -> str:
        """One line for a person."""
        total = self.done + self.skipped
        if self.failed:
            text = f"failed: {self.failed[0][1]}"
        elif self.done == 0 and total:
            text = f"nothing to do: {self.skipped} of {total} up to date"
        elif self.skipped:
            text = f"{self.done} done, {self.skipped} were up to date"
        else:
            text = f"{self.done} done"
        aside = f", {len(self.quarantined)} quarantined" if self.quarantined else ""
        return f"{self.stage}: {text}{aside}"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "stage": self.stage,
            "study": self.study,
            "done": self.done,
            "skipped": self.skipped,
            "quarantined": [
                {
                    "specimen_id": name,
                    "reason": reason,
                    "next_step": self.next_steps.get(name),
                }
                for name, reason in self.quarantined
            ],
            "failed": [{"what": what, "reason": reason} for what, reason in self.failed],
            "notes": list(self.notes),
            "model_id": self.model_id,
            "raised": list(self.raised),
            "report": None if self.report is None else str(self.report),
            "exit_code": self.exit_code,
        }


@dataclass
class Context:
    """A home that is open: settings, database, and who does the work. A context manager.

    ``others`` are the processes that torchrun began beside this one, to train with it.
    """

    settings: Settings
    store: Store
    progress: Progress
    conductor: Conductor
    presence: Presence
    log: logging.Handler
    command: str = "cellcensus"
    others: Others | None = None

    @property
    def home(self) -> Path:
        """The home folder, absolute."""
        return self.settings.home.resolve()

    def relative(self, path: Path) -> str:
        """``path`` as it is stored: relative to the home, which may be moved."""
        return path.relative_to(self.home).as_posix()

    def close(self) -> None:
        """Let go of the database and the home."""
        self.store.close()
        self.presence.leave()
        close_log(self.log)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_context(
    settings: Settings,
    *,
    progress: Progress | None = None,
    conductor: Conductor | None = None,
    actor: str = "system",
) -> Context:
    """Open a home: make it if need be, upgrade its database, tidy up after interrupted runs.

    ``actor`` is who acts, as the audit trail names it: an account, or ``os:NAME`` for a command.

    Raises
    ------
    StoreError
        The home folder or the database cannot be used.
    """
    home = settings.home.resolve()
    try:
        home.mkdir(parents=True, exist_ok=True)
        presence = Presence(home)
    except OSError as error:
        raise StoreError(
            f"the home folder cannot be used: {error.strerror}",
            file=home,
            next_step="choose a folder you may write to with --home or CELLCENSUS_HOME",
        ) from error
    try:
        store = _open_store(settings, home, presence, actor)
    except BaseException:
        presence.leave()  # a service lives on, and must not shut the home to everybody
        raise
    return Context(
        settings,
        store,
        progress or Silent(),
        conductor or LocalConductor(),
        presence,
        open_log(home),
    )


def _open_store(settings: Settings, home: Path, presence: Presence, actor: str) -> Store:
    address = settings.database_address()
    upgrade(address)
    store = Store(address, actor=actor, patience_s=PATIENCE_S)
    try:
        if presence.alone:
            sweep_leftovers(home)
            with store.unit_of_work() as session:
                if abandon_runs(session, machine=machine_name(), home=str(home)):
                    session.commit()
            presence.admit_others()
    except BaseException:
        store.close()
        raise
    return store


def process_name(ctx: Context) -> str:
    """Who is at work: machine, process and home."""
    return f"{machine_name()}:{os.getpid()}:{ctx.home}"


@contextmanager
def reported(ctx: Context, label: str, total: float) -> Iterator[Progress]:
    """A progress bar that is always finished; nothing is shown where there is nothing to do."""
    if total == 0:
        yield Silent()
        return
    ctx.progress.start(label, total)
    note = "interrupted"
    try:
        yield ctx.progress
        note = ""
    finally:
        ctx.progress.finish(note)


SOFTWARE = f"cellcensus {__version__}"
