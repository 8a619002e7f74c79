"""Progress that is written into a job's row, and keeps its lease meanwhile."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from cellcensus.errors import StoreError
from db import jobs
from db.store import Store

log = logging.getLogger("cellcensus.jobs")

EVERY_S = 1.0


class JobLostError(Exception):
    """Another worker has the job: this one was silent for longer than its lease."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How far a job is: ``share`` of the step that ``label`` names, and the time that is left."""

    share: float = 0.0
    label: str = "starting"
    seconds_left: float | None = None


class Followed:
    """Progress of one job. A context manager: a thread writes at most once a second while it is in.

    The thread renews the lease also while a step takes long and says nothing.
    """

    def __init__(self, store: Store, key: int, process: str, lease_seconds: float) -> None:
        self._store, self._key, self._process = store, key, process
        self._lease = lease_seconds
        self._lock = threading.Lock()
        self._label, self._total, self._done, self._began = "starting", 0.0, 0.0, time.monotonic()
        self._lost, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._beat, name="job-progress", daemon=True)

    def start(self, label: str, total: float) -> None:
        """A step begins."""
        self._check()
        with self._lock:
            self._label, self._total, self._done = label, total, 0.0
            self._began = time.monotonic()

    def advance(self, units: float = 1.0) -> None:
        """A part of the step is done."""
        self._check()
        with self._lock:
            self._done += units

    def finish(self, note: str = "") -> None:
        """The step is over."""
        with self._lock:
            self._done = self._total

    def snapshot(self) -> Snapshot:
        """How far it is now."""
        with self._lock:
            share = min(self._done / self._total, 1.0) if self._total else 0.0
            passed = time.monotonic() - self._began
            left = passed * (1 - share) / share if 0 < share < 1 else None
            return Snapshot(share, self._words(), left)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _words(self) -> str:
        counted = self._total > 1 and float(self._total).is_integer()
        return f"{self._label}: {self._done:.0f} of {self._total:.0f}" if counted else self._label

    def _check(self) -> None:
        if self._lost.is_set():
            raise JobLostError

    def _beat(self) -> None:
        written, when = Snapshot(), time.monotonic()
        while not self._over.wait(EVERY_S):
            now = self.snapshot()
            same = (now.share, now.label) == (written.share, written.label)
            if same and time.monotonic() - when < self._lease / 3:
                continue
            if self._write(now):
                written, when = now, time.monotonic()

    def _write(self, now: Snapshot) -> bool:
        try:
            with self._store.unit_of_work() as session:
                held = jobs.renew(
                    session,
                    self._key,
                    process=self._process,
                    lease_seconds=self._lease,
                    progress=now.share,
                    label=now.label,
                    seconds_left=now.seconds_left,
                )
                session.commit()
        except StoreError as error:  # the next beat tries again; the work itself goes on
            log.warning("progress of job %d could not be written: %s", self._key, error.message)
            return False
        if not held:
            self._lost.set()
        return held
