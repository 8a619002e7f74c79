"""A worker with the stand-ins, in a process of its own that tests may kill.

``python -m tests.flows.workdriver``, with the settings on its standard input as the real one.
"""

import os
import sys
import time

from flows import worker
from tests.flows import standins
from tests.flows.driver import Forever


def main():
    standins.installed(Forever)
    real = sys.modules["pipeline.ingest"].ingest
    slow = float(os.environ.get("SLOW", "0"))

    def ingest(*arguments, **keywords):
        time.sleep(slow)
        return real(*arguments, **keywords)

    sys.modules["pipeline.ingest"].ingest = ingest
    worker.main()


if __name__ == "__main__":
    main()
