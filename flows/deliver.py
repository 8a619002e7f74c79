"""The outbox → the receivers: one attempt for each message that is due.

A message is leased, sent, and what the receiver said is written down; each in a transaction of its
own. Whatever happens in between, the message is sent again, under the same control id.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Thread

from cellcensus.errors import DeliveryError, StoreError
from cellcensus.files import publish_file
from cellcensus.settings import DestinationSettings, InterfaceSettings, Settings
from db import outbox
from db.outbox import Posted
from db.store import Store
from db.types import utc_now
from flows.mllp import Line
from reports.acknowledgement import Acknowledgement, read_acknowledgement

log = logging.getLogger("cellcensus.send")

LEASE_MARGIN_S = 30.0
SUFFIXES = {"hl7": ".hl7", "fhir": ".json"}


@dataclass
class Delivery:
    """What one round did: control ids."""

    sent: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    postponed: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 if nothing was left over, else 1."""
        return 1 if self.refused or self.postponed else 0


def deliver_due(store: Store, settings: Settings, stop: Event | None = None) -> Delivery:
    """Send what is due now, each message at most once; a receiver that fails is left for later."""
    interfaces = settings.interfaces
    done, failed = Delivery(), set[str]()
    with _lines(interfaces.destinations) as lines:
        while not (stop and stop.is_set()):
            reachable = interfaces.destinations.keys() - failed
            posted = _take(store, interfaces, sorted(reachable))
            if posted is None:
                return done
            if not _deliver(store, interfaces, posted, lines, done):
                failed.add(posted.message.destination)
    return done


def follow(store: Store, settings: Settings, stop: Event) -> None:
    """Deliver until ``stop`` is set; a database that does not answer is asked again."""
    while not stop.is_set():
        try:
            deliver_due(store, settings, stop)
        except StoreError as error:
            log.warning("reports cannot be sent now: %s", error.message)
        except Exception:
            # Whatever it is, the reports wait in the outbox; ending here would be silence.
            log.exception("sending reports was interrupted")
        stop.wait(settings.interfaces.poll_s)


@contextmanager
def sending(settings: Settings) -> Iterator[None]:
    """Deliver in the background meanwhile, if there is anybody to deliver to."""
    if not settings.interfaces.destinations:
        yield
        return
    stop, store = Event(), Store(settings.database_address())
    thread = Thread(target=follow, args=(store, settings, stop), name="sender", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        # A receiver that lets us wait must not keep the service from ending: the lease ends too.
        thread.join(timeout=5)
        if not thread.is_alive():
            store.close()


@contextmanager
def _lines(destinations: Mapping[str, DestinationSettings]) -> Iterator[dict[str, Line]]:
    lines = {name: Line(destination) for name, destination in destinations.items()}
    try:
        yield lines
    finally:
        for line in lines.values():
            line.close()


def _furthest(interfaces: InterfaceSettings, lease: timedelta) -> timedelta:
    """No message is told to wait so long: one that seems to be knew another clock."""
    return max(2 * lease, timedelta(seconds=2 * interfaces.retry_longest_s), timedelta(hours=1))


def _take(store: Store, interfaces: InterfaceSettings, names: list[str]) -> Posted | None:
    now = utc_now()
    lease = timedelta(seconds=interfaces.timeout_s + LEASE_MARGIN_S)
    with store.unit_of_work() as session:
        posted = outbox.take_due(
            session,
            names,
            now=now,
            lease_until=now + lease,
            furthest=now + _furthest(interfaces, lease),
        )
        session.commit()
    return posted


def _deliver(
    store: Store,
    interfaces: InterfaceSettings,
    posted: Posted,
    lines: Mapping[str, Line],
    done: Delivery,
) -> bool:
    """One attempt, and its result written down; whether the receiver can be tried again now."""
    control_id, destination = posted.message.control_id, posted.message.destination
    try:
        answer = _attempt(interfaces, posted, lines[destination])
    except DeliveryError as error:
        lines[destination].close()
        log.warning("message %s to %s failed: %s", control_id, destination, error.message)
        _postpone(store, interfaces, posted, error)
        done.postponed.append(control_id)
        return False
    with store.unit_of_work() as session:
        end = outbox.acknowledge if answer.accepted else outbox.refuse
        end(session, posted, f"{answer.code} {answer.text}".strip())
        session.commit()
    (done.sent if answer.accepted else done.refused).append(control_id)
    return True


def _attempt(interfaces: InterfaceSettings, posted: Posted, line: Line) -> Acknowledgement:
    if line.destination.kind == "file":
        return _write(line.destination, posted)
    text = line.exchange(posted.message.body, interfaces.timeout_s)
    try:
        answer = read_acknowledgement(text)
    except ValueError as error:
        raise DeliveryError(str(error)) from error
    if answer.control_id != posted.message.control_id:
        raise DeliveryError("the answer is to another message")
    if not (answer.accepted or answer.refused):
        raise DeliveryError(f"the answer {answer.code[:20]!r} is unknown")
    return answer


def _write(destination: DestinationSettings, posted: Posted) -> Acknowledgement:
    folder, control_id = destination.folder, posted.message.control_id
    # A folder that is not there may be a network drive that is not connected: never make it.
    if folder is None or not folder.is_dir():
        raise DeliveryError("the folder is not there", unreachable=True)
    try:
        with publish_file(
            folder / f"{control_id}{SUFFIXES[destination.format]}", suffix=".part"
        ) as temporary:
            temporary.write_bytes(posted.message.body.encode("utf-8"))
    except OSError as error:
        raise DeliveryError(error.strerror or str(error), unreachable=True) from error
    return Acknowledgement("AA", control_id, "written")


def _postpone(
    store: Store, interfaces: InterfaceSettings, posted: Posted, error: DeliveryError
) -> None:
    now, first = utc_now(), timedelta(seconds=interfaces.retry_first_s)
    with store.unit_of_work() as session:
        outbox.postpone(
            session,
            posted,
            error.message,
            until=_next_attempt(interfaces, posted, now),
            others_until=now + first if error.unreachable else None,
        )
        session.commit()


def _next_attempt(interfaces: InterfaceSettings, posted: Posted, now: datetime) -> datetime:
    doublings = min(posted.message.attempts - 1, 30)
    wait = min(interfaces.retry_first_s * 2**doublings, interfaces.retry_longest_s)
    return now + timedelta(seconds=wait)
