from cellcensus.findings import Finding, Level
from db.findings import open_findings, quarantined, reconcile
from db.tables import Finding as Row
from tests.db.rows import put_study

EMPTY = Finding(Level.VIOLATION, "empty_file", "the file has no content", "film again", "U1")
DIM = Finding(Level.ALERT, "dim", "the light is low", "check the lamp", "U1")


def _reconcile(store, study, found, **options):
    with store.unit_of_work() as session:
        key, specimens = put_study(session, study)
        reconcile(
            session, found, study_key=key, specimen_key=specimens["U1"], source="ingest", **options
        )
        session.commit()
    return key, specimens["U1"]


def test_what_is_found_again_is_not_written_again(store, study):
    for _ in range(3):
        key, specimen = _reconcile(store, study, [DIM])
    with store.reading() as session:
        assert session.query(Row).count() == 1
        assert [f.code for f in open_findings(session, key, specimen)] == ["dim"]


def test_what_is_gone_is_cleared_and_kept(store, study):
    _reconcile(store, study, [EMPTY, DIM], quarantines=True)
    key, specimen = _reconcile(store, study, [])
    with store.reading() as session:
        assert open_findings(session, key, specimen) == []
        assert quarantined(session, key) == []
        assert session.query(Row).filter(Row.cleared_at.is_not(None)).count() == 2


def test_a_violation_quarantines_and_an_alert_does_not(store, study):
    key, _ = _reconcile(store, study, [DIM], quarantines=True)
    with store.reading() as session:
        assert quarantined(session, key) == []
    _reconcile(store, study, [EMPTY], quarantines=True, recipe_id="ingest-1-x")
    with store.reading() as session:
        (quarantine,) = quarantined(session, key)
    assert quarantine.specimen_id == "U1"
    assert quarantine.code == "empty_file"
    assert quarantine.recipe_id == "ingest-1-x"
