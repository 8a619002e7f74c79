"""Run a study with the stand-ins, in a process of its own that tests may kill.

``python -m tests.flows.driver STUDY HOME run|all|retrain|report [DATABASE_URL]``: the run of a
study, that and a retraining, or one of the later commands alone. Who is interrupted repeats the
command that was interrupted.
"""

import sys
import time
from pathlib import Path

from cellcensus.settings import Settings
from flows.context import open_context
from flows.report import report_study
from flows.retrain import retrain
from flows.run import run_study
from tests.flows import standins


class Forever:
    """Put stand-ins in place for good: the process is theirs."""

    setitem = staticmethod(dict.__setitem__)

    @staticmethod
    def setattr(target, name, value, raising=True):
        setattr(target, name, value)


def settings_of(home, seed, address=None):
    return Settings(home=home, processes=1, database_url=address, training={"seed": seed})


ALONE = {
    "retrain": lambda ctx, study: retrain(ctx, [study]),
    "report": report_study,
}


def work(study, home, what, address=None):
    """A first run by a poor training, and a retraining that is better."""
    if what in ALONE:
        with open_context(settings_of(home, 1, address)) as ctx:
            ALONE[what](ctx, study)
        return
    behind = home / "first-command-is-done"
    if not behind.exists():
        with open_context(settings_of(home, 2, address)) as ctx:
            run_study(ctx, study)
        if what == "all":
            behind.touch()
    if what == "all":
        with open_context(settings_of(home, 1, address)) as ctx:
            retrain(ctx, [study])


def main():
    study, home, what, *address = sys.argv[1:]
    standins.installed(Forever)
    real = sys.modules["pipeline.ingest"].ingest

    def slow(*arguments, **keywords):
        time.sleep(0.01)  # so that an instant drawn at random may fall into the work
        return real(*arguments, **keywords)

    sys.modules["pipeline.ingest"].ingest = slow
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    work(Path(study), Path(home), what, *address)


if __name__ == "__main__":
    main()
