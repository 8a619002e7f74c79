"""Preloaded by the workers of a Dask cluster under test: stand-ins, and a line for each recording.

``$CELLCENSUS_TEST_LOG`` is where the lines go. A worker that comes to the specimen named in
``$CELLCENSUS_TEST_LOG.kill`` dies once.
"""

import os
import signal
import sys
from pathlib import Path

from tests.flows import standins
from tests.flows.driver import Forever
from tests.flows.machine import write_line


def _watched(real, log):
    fatal = Path(f"{log}.kill")

    def ingest(recording, **keywords):
        name = keywords["specimen_id"]
        if fatal.exists() and fatal.read_text() == name:
            fatal.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        write_line(log, str(os.getpid()), name)
        return real(recording, **keywords)

    return ingest


def dask_setup(_worker):
    standins.installed(Forever)
    ingesting = sys.modules["pipeline.ingest"]
    ingesting.ingest = _watched(ingesting.ingest, os.environ["CELLCENSUS_TEST_LOG"])
