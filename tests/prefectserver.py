"""A real Prefect server with a database of its own, on a port of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.error import URLError
from urllib.request import urlopen


class PrefectServer:
    """A server that may be stopped, killed and started again with what it knew."""

    def __init__(self, folder, patience_s=120):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder, self.patience_s, self.process = folder, patience_s, None
        self.api = f"http://127.0.0.1:{self.port}/api"

    @property
    def log(self):
        return self.folder / "log"

    def start(self):
        """Start it and wait until it answers.

        Raises
        ------
        TimeoutError
            It does not in time; the message ends with its log.
        """
        environment = {
            **os.environ,
            "PREFECT_HOME": str(self.folder),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_API_DATABASE_CONNECTION_URL": (
                f"sqlite+aiosqlite:///{self.folder}/prefect.db"
            ),
        }
        options = ["--port", str(self.port), "--no-ui"]
        command = [sys.executable, "-m", "prefect", "server", "start", *options]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        until = time.monotonic() + self.patience_s
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise TimeoutError(self.log.read_text())
            time.sleep(0.3)

    def answers(self):
        try:
            with urlopen(f"{self.api}/health", timeout=2):
                return True
        except (URLError, OSError):
            return False

    def kill(self):
        """End it without a word, with all of its own processes."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()


@contextmanager
def prefect_server(folder, patience_s=120):
    server = PrefectServer(folder, patience_s)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def connected_to(api, folder):
    """Let flows of this process talk to that server."""
    from prefect.settings import (
        PREFECT_API_URL,
        PREFECT_HOME,
        PREFECT_LOGGING_TO_API_ENABLED,
        temporary_settings,
    )

    values = {
        PREFECT_API_URL: api,
        PREFECT_HOME: folder,
        PREFECT_LOGGING_TO_API_ENABLED: False,
    }
    with temporary_settings(values):
        yield
