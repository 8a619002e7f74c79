import json
import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from cellcensus.errors import UsageError
from db import outbox
from db.audit import broken_entries
from db.tables import AuditEntry, OutboxMessage
from db.types import utc_now
from flows.deliver import LEASE_MARGIN_S, deliver_due, sending
from tests.db.conftest import address, postgres, postgres_address, store, study
from tests.receiver import Receiver
from tests.releases import release, settings_for

__all__ = ["address", "postgres", "postgres_address", "store", "study"]


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.die()


def lis(receiver, **more):
    return {"lis": {"kind": "mllp", "host": "127.0.0.1", "port": receiver.port}, **more}


def settings_to(tmp_path, receiver, **interfaces):
    return settings_for(
        tmp_path,
        lis(receiver),
        **{"timeout_s": 0.3, "retry_first_s": 0.01, "retry_longest_s": 0.05, **interfaces},
    )


def rows(store):
    with store.reading() as session:
        return list(session.scalars(select(OutboxMessage).order_by(OutboxMessage.key)))


def until_all_sent(store, settings, patience_s=15):
    """Deliver again and again, as a following sender does."""
    end = time.monotonic() + patience_s
    while any(row.state == "waiting" for row in rows(store)):
        assert time.monotonic() < end, [(row.state, row.answer) for row in rows(store)]
        deliver_due(store, settings)
        time.sleep(0.01)


def test_a_report_is_sent_once_and_acknowledged(store, study, tmp_path, receiver):
    settings = settings_to(tmp_path, receiver)
    release(store, settings, study, ("U1", "M1"))
    done = deliver_due(store, settings)
    assert sorted(done.sent) == sorted(receiver.answered)
    assert set(receiver.stored.values()) == {1}
    assert {row.state for row in rows(store)} == {"acknowledged"}
    assert deliver_due(store, settings).sent == []
    assert set(receiver.stored.values()) == {1}


@pytest.mark.parametrize(
    ("fault", "copies"),
    [
        ("drop_before", 1),
        ("drop_after", 2),
        ("late", 2),
        ("wrong_id", 2),
        ("garbage", 2),
        ("unframed", 2),
        ("endless", 2),
        ("XX", 2),
    ],
)
def test_after_a_fault_the_same_message_is_sent_again(
    store, study, tmp_path, receiver, fault, copies
):
    receiver.script.append(fault)
    settings = settings_to(tmp_path, receiver)
    release(store, settings, study)
    first = deliver_due(store, settings)
    assert first.sent == []
    assert len(first.postponed) == 1
    (row,) = rows(store)
    assert (row.state, row.attempts) == ("waiting", 1)
    assert row.answer
    until_all_sent(store, settings)
    (control_id,) = receiver.stored
    # What the receiver got twice has one control id and is the same to the byte.
    assert receiver.stored[control_id] == copies
    assert len(receiver.bodies[control_id]) == 1
    assert receiver.answered.count(control_id) == 1


def test_nothing_is_lost_when_everything_goes_wrong(store, study, tmp_path, receiver):
    faults = ["drop_before", "garbage", "drop_after", "late", "AA", "wrong_id", "drop_after", "AA"]
    receiver.script.extend(faults * 2)
    settings = settings_to(tmp_path, receiver)
    release(store, settings, study, ("P1", "M1", "U1"), versions=3)
    until_all_sent(store, settings)
    wanted = {row.control_id for row in rows(store)}
    assert len(wanted) == 9
    assert set(receiver.stored) == wanted
    assert sorted(receiver.answered) == sorted(wanted)  # each acknowledged exactly once


def test_a_refused_report_is_kept_with_the_answer_and_not_sent_again(
    store, study, tmp_path, receiver
):
    for code in ("AE", "AR", "CE", "CR"):
        receiver.script.append(code)
    settings = settings_to(tmp_path, receiver)
    release(store, settings, study, ("P1", "M1"), versions=2)
    done = deliver_due(store, settings)
    assert (len(done.refused), done.exit_code) == (4, 1)
    assert deliver_due(store, settings).refused == []
    assert set(receiver.stored.values()) == {1}
    assert {row.answer for row in rows(store)} == {
        f"{c} so be it" for c in ("AE", "AR", "CE", "CR")
    }


def test_versions_of_a_report_arrive_in_their_order(store, study, tmp_path, receiver):
    receiver.script.extend(["drop_after", "drop_before", "garbage"])
    settings = settings_to(tmp_path, receiver)
    release(store, settings, study, ("M1", "U1"), versions=3)
    until_all_sent(store, settings)
    versions = {}
    with store.reading() as session:
        posted = {one.message.control_id: one for one in outbox.messages(session)}
    for control_id in receiver.order:
        one = posted[control_id]
        assert one.version >= versions.get(one.specimen_id, 0)
        versions[one.specimen_id] = one.version


def test_a_receiver_that_is_down_for_a_while_gets_everything_later(
    store, study, tmp_path, receiver
):
    settings = settings_to(tmp_path, receiver)
    release(store, settings, study, ("P1", "M1", "U1"))
    receiver.die()
    for _ in range(3):
        assert deliver_due(store, settings).sent == []
        time.sleep(0.02)
    receiver.live()
    until_all_sent(store, settings)
    assert len(receiver.stored) == 3
    assert set(receiver.stored.values()) == {1}


def test_a_receiver_that_is_down_is_tried_once_a_round_and_later_less_often(
    store, study, tmp_path, receiver
):
    settings = settings_to(tmp_path, receiver, retry_first_s=100, retry_longest_s=250)
    release(store, settings, study, ("P1", "M1", "U1"))
    receiver.die()
    assert len(deliver_due(store, settings).postponed) == 1
    assert deliver_due(store, settings).postponed == []
    waits = []
    for _ in range(4):
        with store.unit_of_work() as session:
            session.execute(update(OutboxMessage).values(next_attempt_at=utc_now()))
            key = min(row.key for row in rows(store))
            session.execute(
                update(OutboxMessage)
                .where(OutboxMessage.key == key)
                .values(next_attempt_at=utc_now() - timedelta(seconds=1))
            )
            session.commit()
        deliver_due(store, settings)
        waits.append((rows(store)[0].next_attempt_at - utc_now()).total_seconds())
    assert waits == pytest.approx([200, 250, 250, 250], abs=5)


def test_one_dead_receiver_does_not_hold_up_another(store, study, tmp_path, receiver):
    folder = tmp_path / "share"
    folder.mkdir()
    dead = Receiver()
    dead.die()
    settings = settings_for(
        tmp_path,
        {
            "dead": {"kind": "mllp", "host": "127.0.0.1", "port": dead.port},
            **lis(receiver, share={"kind": "file", "folder": str(folder)}),
        },
        timeout_s=0.3,
    )
    release(store, settings, study, ("M1", "U1"))
    done = deliver_due(store, settings)
    assert len(done.sent) == 4
    assert len(done.postponed) == 1


def test_a_message_its_receiver_cannot_bear_does_not_hold_up_the_others(
    store, study, tmp_path, receiver
):
    settings = settings_to(tmp_path, receiver, retry_longest_s=100)
    release(store, settings, study, ("P1", "M1", "U1"))
    poison = rows(store)[0].control_id
    answer = receiver._answer
    receiver._answer = lambda connection, body: poison not in body and answer(connection, body)
    end = time.monotonic() + 10
    while len(receiver.answered) < 2:
        assert time.monotonic() < end
        deliver_due(store, settings)
        time.sleep(0.01)
    assert {row.state for row in rows(store) if row.control_id == poison} == {"waiting"}


def test_two_senders_never_send_the_same_message_at_once(store, study, tmp_path, receiver):
    receiver.script.extend(["slow"] * 4)
    receiver.late_s = 0.15
    settings = settings_to(tmp_path, receiver, timeout_s=5)
    release(store, settings, study, ("P1", "M1", "U1"), versions=2)
    senders = [threading.Thread(target=until_all_sent, args=(store, settings)) for _ in range(3)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len(receiver.stored) == 6
    assert set(receiver.stored.values()) == {1}
    assert {row.attempts for row in rows(store)} == {1}


def test_a_lease_is_kept_until_it_ends_and_its_late_holder_changes_nothing(
    store, study, tmp_path, receiver
):
    settings = settings_to(tmp_path, receiver)
    release(store, settings, study)
    now = utc_now()
    until = now + timedelta(seconds=60)
    with store.unit_of_work() as session:
        held = outbox.take_due(session, ["lis"], now=now, lease_until=until)
        session.commit()
    assert deliver_due(store, settings).sent == []  # as after kill -9: nobody else has it yet
    with store.unit_of_work() as session:
        later = until + timedelta(seconds=1)
        taken = outbox.take_due(session, ["lis"], now=later, lease_until=later + timedelta(1))
        session.commit()
    assert taken is not None
    assert taken.message.control_id == held.message.control_id
    with store.unit_of_work() as session:
        assert not outbox.refuse(session, _as_of(held, 1), "AE")
        assert outbox.acknowledge(session, taken, "AA")
        session.commit()
    assert LEASE_MARGIN_S > 0
    assert [row.state for row in rows(store)] == ["acknowledged"]


def _as_of(posted, attempts):
    message = OutboxMessage(key=posted.message.key, attempts=attempts, destination="lis")
    return outbox.Posted(message, posted.study, posted.specimen_id, posted.version)


def test_a_file_is_written_whole_under_its_control_id(store, study, tmp_path):
    folder = tmp_path / "share"
    settings = settings_for(
        tmp_path,
        {
            "share": {"kind": "file", "folder": str(folder)},
            "fhir": {"kind": "file", "folder": str(folder), "format": "fhir"},
        },
        retry_first_s=0.01,
    )
    release(store, settings, study)
    assert len(deliver_due(store, settings).postponed) == 2  # never made: it may be a lost drive
    assert not folder.exists()
    folder.mkdir()
    until_all_sent(store, settings)
    bodies = {row.destination: row for row in rows(store)}
    message = folder / f"{bodies['share'].control_id}.hl7"
    assert message.read_bytes().decode() == bodies["share"].body
    bundle = json.loads((folder / f"{bodies['fhir'].control_id}.json").read_text())
    assert bundle["resourceType"] == "Bundle"
    assert len(list(folder.iterdir())) == 2


def test_what_was_sent_or_refused_is_in_the_trail(store, study, tmp_path, receiver):
    receiver.script.extend(["AA", "AE"])
    settings = settings_to(tmp_path, receiver)
    release(store, settings, study, ("M1", "U1"))
    deliver_due(store, settings)
    with store.reading() as session:
        of_reports = AuditEntry.action.startswith("report.")
        query = select(AuditEntry).where(of_reports).order_by(AuditEntry.number)
        entries = list(session.scalars(query))
        assert list(broken_entries(session)) == []
    assert [entry.action for entry in entries] == ["report.sent", "report.refused"]
    assert entries[1].subject == "specimen:made-up/U1"
    assert entries[1].after["answer"] == "AE so be it"


def test_a_refused_report_is_sent_again_when_a_person_asks(store, study, tmp_path, receiver):
    receiver.script.append("AR")
    settings = settings_to(tmp_path, receiver)
    release(store, settings, study)
    (control_id,) = deliver_due(store, settings).refused
    with store.unit_of_work() as session:
        outbox.retry(session, control_id, reason="the patient is known now")
        session.commit()
    assert deliver_due(store, settings).sent == [control_id]
    with store.unit_of_work() as session, pytest.raises(UsageError):
        outbox.retry(session, control_id)


def test_an_older_version_is_not_sent_after_a_later_one(store, study, tmp_path, receiver):
    receiver.script.append("AR")
    settings = settings_to(tmp_path, receiver)
    release(store, settings, study, versions=2)
    done = deliver_due(store, settings)
    with store.unit_of_work() as session, pytest.raises(UsageError, match="version 2"):
        outbox.retry(session, done.refused[0])


def test_what_is_being_sent_is_not_sent_a_second_time_by_asking(store, study, tmp_path, receiver):
    release(store, settings_to(tmp_path, receiver), study)
    now = utc_now()
    with store.unit_of_work() as session:
        held = outbox.take_due(session, ["lis"], now=now, lease_until=now + timedelta(seconds=60))
        session.commit()
    with store.unit_of_work() as session, pytest.raises(UsageError, match="being sent"):
        outbox.retry(session, held.message.control_id)


def test_the_service_delivers_in_the_background(store, study, tmp_path, receiver):
    settings = settings_to(tmp_path, receiver, poll_s=0.02).model_copy(
        update={"database_url": store.address}
    )
    with sending(settings):
        release(store, settings, study)
        end = time.monotonic() + 10
        while not receiver.answered:
            assert time.monotonic() < end
            time.sleep(0.02)
    assert not [thread for thread in threading.enumerate() if thread.name == "sender"]
