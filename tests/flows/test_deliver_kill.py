"""kill -9 of the sender in mid-send: nothing is lost, and copies have one control id."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select, update

from db.schema import upgrade
from db.store import Store
from db.tables import OutboxMessage
from db.types import utc_now
from tests.db.conftest import study
from tests.receiver import Receiver
from tests.releases import release, settings_for

__all__ = ["study"]

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.e2e


def command(home, receiver, *arguments):
    destinations = {"lis": {"kind": "mllp", "host": "127.0.0.1", "port": receiver.port}}
    environment = {
        **os.environ,
        "CELLCENSUS_INTERFACES__DESTINATIONS": json.dumps(destinations),
        "CELLCENSUS_INTERFACES__TIMEOUT_S": "20",
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", "--home", str(home), *arguments],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def wait_for(condition, patience_s=30):
    end = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def states(store):
    with store.reading() as session:
        return sorted(session.scalars(select(OutboxMessage.state)))


def test_a_killed_sender_loses_nothing(tmp_path, study):
    receiver = Receiver("AA", "slow", "slow", late_s=3)
    settings = settings_for(tmp_path, {"lis": {"kind": "mllp", "host": "x", "port": 1}})
    upgrade(settings.database_address())
    store = Store(settings.database_address())
    release(store, settings, study, ("P1", "M1", "U1"))

    first = command(settings.home, receiver, "send", "--follow")
    wait_for(lambda: len(receiver.stored) == 2)  # the second is read, and not yet answered
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert states(store) == ["acknowledged", "waiting", "waiting"]

    # Who comes next sends the third, but not what somebody may still be sending.
    second = command(settings.home, receiver, "send", "--json")
    sent = json.loads(second.communicate(timeout=30)[0])["sent"]
    assert sent == [receiver.order[-1]]
    assert max(receiver.stored.values()) == 1

    with store.unit_of_work() as session:  # the lease of the killed sender ends
        session.execute(update(OutboxMessage).values(next_attempt_at=utc_now()))
        session.commit()
    third = command(settings.home, receiver, "send", "--json")
    third.communicate(timeout=30)
    assert third.returncode == 0
    assert states(store) == ["acknowledged"] * 3
    # The receiver had stored the second before the kill: it got a copy, and can tell by its id.
    assert sorted(receiver.stored.values()) == [1, 1, 2]
    assert all(len(bodies) == 1 for bodies in receiver.bodies.values())
    store.close()
    receiver.die()


def test_the_outbox_is_listed_and_sent_again_by_command(tmp_path, study):
    receiver = Receiver("AE")
    settings = settings_for(tmp_path, {"lis": {"kind": "mllp", "host": "x", "port": 1}})
    upgrade(settings.database_address())
    store = Store(settings.database_address())
    release(store, settings, study)

    assert command(settings.home, receiver, "send").wait(30) == 1
    listed = command(settings.home, receiver, "outbox", "list", "--state", "refused", "--json")
    (row,) = json.loads(listed.communicate(timeout=30)[0])
    assert row["answer"] == "AE so be it"
    again = command(settings.home, receiver, "outbox", "retry", row["control_id"])
    assert again.wait(30) == 0
    assert command(settings.home, receiver, "send").wait(30) == 0
    assert states(store) == ["acknowledged"]
    assert command(settings.home, receiver, "outbox", "retry", "NONE").wait(30) == 2
    store.close()
    receiver.die()
