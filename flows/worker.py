"""The worker: one process that does what people asked for from the pages, one job after another.

``cellcensus serve`` starts it as ``python -m flows.worker``, with the settings as one line of JSON
on its standard input; when that pipe closes, the server is gone and the worker goes too.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from uuid import uuid4

from cellcensus.errors import StoreError
from cellcensus.settings import Settings
from db import jobs
from db.schema import upgrade
from db.store import Store
from flows.context import open_context
from flows.followed import Followed, JobLostError
from flows.jobs import do

log = logging.getLogger("cellcensus.jobs")

_PATIENCE_S = 10.0  # for children and files, once it was asked to stop
_AFTER_TROUBLE_S = 5.0


class StopAsked(BaseException):
    """The worker was asked to stop."""


class Worker:
    """Takes jobs and does them.

    Parameters
    ----------
    settings
        Home, database, and those of the stages.
    tell
        Called with a line for a person whenever a job begins or ends.
    """

    def __init__(self, settings: Settings, tell: Callable[[str], None] = lambda _: None) -> None:
        self.settings, self.tell = settings, tell
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self.stopping = threading.Event()
        upgrade(settings.database_address())
        self.store = Store(settings.database_address())

    def work(self, *, once: bool = False) -> int:
        """Do jobs until asked to stop; with ``once``, until none waits. How many failed."""
        failed = 0
        try:
            while not self.stopping.is_set():
                try:
                    ended = self._next()
                except StoreError as error:
                    if once:
                        raise
                    log.warning("no work can be taken: %s", error.message)
                    self.stopping.wait(_AFTER_TROUBLE_S)
                    continue
                failed += ended == "failed"
                if ended is None:
                    if once:
                        break
                    self.stopping.wait(self.settings.jobs.poll_seconds)
        except StopAsked:
            pass
        finally:
            self.store.close()
        return failed

    def _next(self) -> str | None:
        lease = self.settings.jobs.lease_seconds
        with self.store.reading() as session:
            if not jobs.is_anything_due(session, lease):
                return None
        with self.store.unit_of_work() as session:
            job = jobs.take(session, process=self.name, lease_seconds=lease)
            told = jobs.find(session, job.key) if job else None
            session.commit()
        if told is None:
            return None
        self.tell(f"job {told.job.key}: {told.job.kind} of {told.job.subject}")
        try:
            return self._do(told)
        except BaseException:
            with self.store.unit_of_work() as session:
                jobs.put_back(session, told.job.key, process=self.name)
                session.commit()
            raise

    def _do(self, told: jobs.Told) -> str:
        key = told.job.key
        try:
            with (
                Followed(self.store, key, self.name, self.settings.jobs.lease_seconds) as followed,
                open_context(self.settings, progress=followed, actor=told.actor) as ctx,
            ):
                ctx.command = f"job {key}"
                state, message = do(ctx, told)
        except JobLostError:
            state, message = "lost", "another worker has it by now"
        except StoreError as error:
            state, message = "failed", str(error)
        if state != "lost":
            self._end(key, state, message)
        self.tell(f"job {key}: {state}. {message}")
        return state

    def _end(self, key: int, state: str, message: str) -> None:
        with self.store.unit_of_work() as session:
            jobs.end(session, key, process=self.name, state=state, message=message)
            session.commit()


def answer_signals(worker: Worker) -> None:
    """Let Ctrl-C and SIGTERM stop the worker: its job waits again, for whoever comes next."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        if not worker.stopping.is_set():
            worker.stopping.set()
            raise StopAsked

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def main() -> None:
    """Work for the server that started this process, and end with it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    settings = Settings.model_validate_json(sys.stdin.readline())
    worker = Worker(settings)
    answer_signals(worker)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server is told, and tells us
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    worker.work()


def _end_with_the_server() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(_PATIENCE_S)
    os._exit(1)


def command() -> list[str]:
    """How a worker process is started."""
    return [sys.executable, "-m", "flows.worker"]


SOURCES = Path(__file__).resolve().parent.parent
"""Where our packages lie, for a worker that is started from any folder."""

if __name__ == "__main__":
    main()
