"""Processes that take themselves for machines of their own, with leases of a few seconds."""

import os
import subprocess
import sys
from pathlib import Path


class Hosts:
    """Starts ``python -m module HOST STUDY HOME LOG ADDRESS``, one process a host."""

    def __init__(self, module, study, home, address, *, log, lease_s):
        self.module, self.lease_s = module, lease_s
        self.study, self.home, self.address, self.log = study, home, address, log
        self.processes = {}

    def start(self, host):
        command = (sys.executable, "-m", self.module, host, self.study, self.home)
        self.processes[host] = subprocess.Popen(
            [*map(str, command), str(self.log), self.address],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "CELLCENSUS_CONDUCTOR__LEASE_SECONDS": str(self.lease_s)},
        )
