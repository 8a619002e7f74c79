"""A Prefect server of one's own, for tests that ask for ``connected``."""

import os
import socket
import subprocess
import sys
import time
from urllib.error import URLError
from urllib.request import urlopen

import pytest


# One for all tests: the client keeps sending its events to the first server it has met.
@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("prefect")
    environment = {
        **os.environ,
        "PREFECT_HOME": str(folder),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{folder}/prefect.db",
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--port", str(port), "--no-ui"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    api = f"http://127.0.0.1:{port}/api"
    until = time.monotonic() + 120
    while True:
        try:
            urlopen(f"{api}/health", timeout=2)
            break
        except (URLError, OSError):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until, (folder / "log").read_text()
            time.sleep(0.3)
    yield api
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()


@pytest.fixture
def connected(server, tmp_path, monkeypatch):
    monkeypatch.setenv("CELLCENSUS_PROCESSES", "1")  # stand-ins exist in this process only
    from prefect.settings import (
        PREFECT_API_URL,
        PREFECT_HOME,
        PREFECT_LOGGING_TO_API_ENABLED,
        temporary_settings,
    )

    with temporary_settings(
        {
            PREFECT_API_URL: server,
            PREFECT_HOME: tmp_path / "prefect",
            PREFECT_LOGGING_TO_API_ENABLED: False,
        }
    ):
        yield
