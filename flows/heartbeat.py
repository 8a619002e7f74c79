"""The sign of life of a run: a thread that moves the end of its lease on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cellcensus.errors import StoreError
from db import leases
from db.store import Store

BEATS = 4
"""So often within one lease, that a lost connection or two do no harm."""

log = logging.getLogger("cellcensus.flows")


@contextmanager
def beating(store: Store, run_key: int, seconds: float) -> Iterator[int]:
    """Keep a run alive, whatever the thread that works is at; yields the run's key."""
    over = threading.Event()
    thread = threading.Thread(
        target=_beat, args=(store, run_key, seconds, over), name="heartbeat", daemon=True
    )
    thread.start()
    try:
        yield run_key
    finally:
        over.set()
        thread.join()


def _beat(store: Store, run_key: int, seconds: float, over: threading.Event) -> None:
    while not over.wait(seconds / BEATS):
        try:
            with store.unit_of_work() as session:
                alive = leases.renew(session, run_key, seconds)
                session.commit()
        except StoreError as error:
            # The next beat tries again. Whether it came too late is decided by the lease alone.
            log.warning("the sign of life of run %d was not written: %s", run_key, error.message)
            continue
        if not alive:
            log.warning("run %d was declared dead by another machine", run_key)
            return
