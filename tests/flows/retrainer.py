"""Retrain as one of several machines, in a process of its own that tests may kill.

``python -m tests.flows.retrainer HOST STUDY HOME LOG DATABASE_URL``. ``HOST`` is what the machine
calls itself. Training writes ``train HOST`` into ``LOG`` and lasts until ``LOG.go`` is there.
"""

import json
import socket
import sys
import time
from pathlib import Path

from cellcensus.settings import Settings
from flows.context import open_context
from flows.retrain import retrain
from tests.flows import standins
from tests.flows.driver import Forever
from tests.flows.machine import write_line


def main():
    host, study, home, log, address = sys.argv[1:]
    socket.gethostname = lambda: host
    standins.installed(Forever)
    training = sys.modules["models.training"]
    real = training.train

    def train(*arguments, **keywords):
        write_line(log, "train", host)
        while not Path(f"{log}.go").exists():
            time.sleep(0.05)
        return real(*arguments, **keywords)

    training.train = train
    settings = Settings(home=home, processes=1, database_url=address, training={"seed": 1})
    with open_context(settings) as ctx:
        outcome = retrain(ctx, [Path(study)])
    sys.stdout.write(json.dumps(outcome.as_dict()))


if __name__ == "__main__":
    main()
