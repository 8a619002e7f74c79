import json

import pytest
from sqlalchemy.exc import IntegrityError

from cellcensus.errors import StoreError
from db.outbox import messages
from db.tables import ReportSignature
from flows.send import enqueue
from tests.db.conftest import address, postgres, postgres_address, store, study
from tests.releases import put_account, put_predicted, put_version, release, settings_for

__all__ = ["address", "postgres", "postgres_address", "store", "study"]

TWO = {
    "lis": {"kind": "mllp", "host": "127.0.0.1", "port": 2575},
    "share": {"kind": "file", "folder": "/nowhere"},
}


def all_messages(store):
    with store.reading() as session:
        return messages(session)


def test_a_release_writes_one_message_for_each_destination(store, study, tmp_path):
    assert release(store, settings_for(tmp_path, TWO), study) == 2
    found = all_messages(store)
    assert {one.message.destination for one in found} == {"lis", "share"}
    for one in found:
        header = one.message.body.split("\r")[0].split("|")
        assert header[9] == one.message.control_id
        assert len(one.message.control_id) == 20
        assert "|HM|F|" in one.message.body
    assert len({one.message.control_id for one in found}) == 2


def test_a_corrected_report_is_a_message_of_its_own(store, study, tmp_path):
    release(store, settings_for(tmp_path, {"lis": TWO["lis"]}), study, versions=2)
    second, first = all_messages(store)
    assert (first.version, second.version) == (1, 2)
    assert first.message.control_id != second.message.control_id
    assert "|HM|C|" in second.message.body


def test_without_a_release_there_is_no_message(store, study, tmp_path):
    settings = settings_for(tmp_path, TWO)
    with store.unit_of_work() as session:
        version = put_version(session, put_predicted(session, study)["U1"])
        assert enqueue(session, settings, version) == 2
        # The transaction of the release fails: nothing is committed.
    assert all_messages(store) == []


def test_whoever_reviewed_and_whoever_released_stand_in_what_is_sent(store, study, tmp_path):
    fhir = {"share": {"kind": "file", "folder": "/nowhere", "format": "fhir"}}
    with store.unit_of_work() as session:
        predicted = put_predicted(session, study)["U1"]
        version = put_version(session, predicted, meaning="reviewed")
        session.add(
            ReportSignature(
                report_version_key=version.key,
                account_key=put_account(session, "bob").key,
                full_name="Bob R.",
                meaning="released",
                report_sha256=version.report_sha256,
            )
        )
        enqueue(session, settings_for(tmp_path, fhir), version)
        (sent,) = messages(session)
    found = [entry["resource"] for entry in json.loads(sent.message.body)["entry"]]
    signed = [one["reason"][0]["text"] for one in found if one["resourceType"] == "Provenance"]
    assert signed == ["reviewed", "released"]
    assert found[0]["resultsInterpreter"] == [{"display": "Bob R."}]
    assert found[0]["identifier"][1]["value"] == f"R-{version.report_sha256[:12]}"


@pytest.mark.parametrize(
    "wrong",
    [{"state": "preliminary"}, {"meaning": "reviewed"}, {"signed": "ab" * 32}],
    ids=["preliminary", "only reviewed", "another content signed"],
)
def test_nothing_unsigned_is_sent(store, study, tmp_path, wrong):
    with store.unit_of_work() as session:
        version = put_version(session, put_predicted(session, study)["U1"], **wrong)
        with pytest.raises(StoreError):
            enqueue(session, settings_for(tmp_path, TWO), version)
        assert messages(session) == []


def test_a_version_is_written_once(store, study, tmp_path):
    settings = settings_for(tmp_path, TWO)
    with store.unit_of_work() as session:
        version = put_version(session, put_predicted(session, study)["U1"])
        enqueue(session, settings, version)
        with pytest.raises(IntegrityError):
            enqueue(session, settings, version)
        session.rollback()


def test_without_destinations_nothing_is_written(store, study, tmp_path):
    assert release(store, settings_for(tmp_path, {}), study) == 0
