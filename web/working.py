"""The worker process beside the server: it lives and ends with it, and a dead one is replaced."""

from __future__ import annotations

import logging
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from cellcensus.settings import Settings
from flows.worker import SOURCES, command

log = logging.getLogger("cellcensus.web")

_PAUSE_S = 5.0
_PATIENCE_S = 20.0


class WorkerProcess:
    """One worker. A context manager; what it was doing when it is ended waits for the next one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._watcher = threading.Thread(target=self._watch, name="worker", daemon=True)

    @property
    def pid(self) -> int | None:
        """Number of the process that works now."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def __enter__(self) -> Self:
        self._watcher.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._ending.set()
            process = self._process
        if process is not None:
            process.terminate()
            try:
                process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
        self._watcher.join(_PATIENCE_S)

    def _watch(self) -> None:
        while not self._ending.is_set():
            with self._lock:
                if self._ending.is_set():
                    return
                process = self._process = self._start()
            code = process.wait()
            if self._ending.is_set():
                return
            log.warning("the worker ended (code %s); it is started again", code)
            self._ending.wait(_PAUSE_S)

    def _start(self) -> subprocess.Popen[bytes]:
        # The pipe stays open as long as this process lives: the worker ends when it closes, however
        # the server ended. Settings go through it too, so that no password is on a command line.
        path = os.pathsep.join(p for p in (str(SOURCES), os.environ.get("PYTHONPATH", "")) if p)
        process = subprocess.Popen(
            command(), stdin=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
        )
        assert process.stdin is not None
        try:
            process.stdin.write(self._settings.model_dump_json().encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:  # it died at once; whoever waits for it sees so
            log.debug("the worker died at its start")
        return process


@contextmanager
def working(settings: Settings) -> Iterator[None]:
    """Have a worker beside the server meanwhile, if the settings want one."""
    if not settings.jobs.worker:
        yield
        return
    with WorkerProcess(settings):
        yield
