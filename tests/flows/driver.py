"""Run a study with the stand-ins, in a process of its own that tests may kill.

``python -m tests.flows.driver STUDY HOME [DATABASE_URL]``
"""

import sys
import time
from pathlib import Path

from cellcensus.settings import Settings
from flows.context import open_context
from flows.run import run_study
from tests.flows import standins


class _Forever:
    """Put stand-ins in place for good: the process is theirs."""

    setitem = staticmethod(dict.__setitem__)

    @staticmethod
    def setattr(target, name, value, raising=True):
        setattr(target, name, value)


def main():
    study, home, *address = sys.argv[1:]
    standins.installed(_Forever)
    real = sys.modules["pipeline.ingest"].ingest

    def slow(*arguments, **keywords):
        time.sleep(0.01)  # so that an instant drawn at random may fall into the work
        return real(*arguments, **keywords)

    sys.modules["pipeline.ingest"].ingest = slow
    settings = Settings(home=Path(home), processes=1, database_url=address[0] if address else None)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    with open_context(settings) as ctx:
        run_study(ctx, Path(study))


if __name__ == "__main__":
    main()
