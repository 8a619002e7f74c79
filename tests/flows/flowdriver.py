"""Run a study as a Prefect flow with the stand-ins, in a process of its own.

``python -m tests.flows.flowdriver STUDY HOME API CLIENT [MARK]``: with ``MARK`` the third recording
waits, once it has written that file, until it is deleted.
"""

import os
import sys
import time
from pathlib import Path

from tests.flows import standins
from tests.flows.driver import Forever
from tests.prefectserver import connected_to


def wait_at(mark, number=3):
    """Let the recording of that number wait while somebody does something to the server."""
    real, count = sys.modules["pipeline.ingest"].ingest, [0]

    def waiting(*arguments, **keywords):
        count[0] += 1
        if count[0] == number:
            mark.write_text("here")
            while mark.exists():
                time.sleep(0.05)
        return real(*arguments, **keywords)

    sys.modules["pipeline.ingest"].ingest = waiting


def main():
    study, home, api, client, *mark = sys.argv[1:]
    os.environ["CELLCENSUS_PROCESSES"] = "1"
    standins.installed(Forever)
    if mark:
        wait_at(Path(mark[0]))
    with connected_to(api, Path(client)):
        from flows import prefect_flows

        state = prefect_flows.run(study, home=home, return_state=True)
    sys.stdout.write(f"{state.type.value}: {state.message}\n")
    sys.exit(0 if state.is_completed() else 1)


if __name__ == "__main__":
    main()
