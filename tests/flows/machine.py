"""Run a study as one of several machines, in a process of its own that tests may kill.

``python -m tests.flows.machine HOST STUDY HOME LOG DATABASE_URL``. ``HOST`` is what the machine
calls itself, so that neither locks nor process numbers of the real one tell it anything. Each
recording begun and done is a line of ``LOG``. A machine called ``silent`` gives no sign of life,
and its first recording lasts until there is a file ``LOG.go``.
"""

import json
import os
import socket
import sys
import time
from pathlib import Path

from cellcensus.settings import Settings
from flows import heartbeat
from flows.context import open_context
from flows.run import run_study
from tests.flows import standins
from tests.flows.driver import Forever

TAKES_S = 0.05


def write_line(file, *words):
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, (" ".join(words) + "\n").encode())  # one write, so that lines stay whole
    os.close(handle)


def _watched(real, host, log):
    def ingest(recording, **keywords):
        write_line(log, "begin", host, keywords["specimen_id"])
        time.sleep(TAKES_S)
        while host == "silent" and not Path(f"{log}.go").exists():
            time.sleep(0.05)
        summary = real(recording, **keywords)
        write_line(log, "end", host, keywords["specimen_id"])
        return summary

    return ingest


def main():
    host, study, home, log, address = sys.argv[1:]
    socket.gethostname = lambda: host
    standins.installed(Forever)
    ingesting = sys.modules["pipeline.ingest"]
    ingesting.ingest = _watched(ingesting.ingest, host, log)
    if host == "silent":
        heartbeat._beat = lambda *_arguments: None
    settings = Settings(home=home, processes=1, database_url=address)
    with open_context(settings) as ctx:
        outcomes = run_study(ctx, Path(study))
    sys.stdout.write(json.dumps([outcome.as_dict() for outcome in outcomes]))


if __name__ == "__main__":
    main()
