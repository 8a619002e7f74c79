from db import review as rows
from db.tables import Account, Review
from tests.db.rows import put_cells, put_model, put_prediction, put_study


def _predicted(session, study):
    key, keys = put_study(session, study)
    cells = put_cells(session, key, keys["U1"])
    prediction = put_prediction(session, cells, put_model(session, "model-1-a"), "predict-1")
    account = Account(name="ada", full_name="Ada R.", role="reviewer", password_hash="x")
    session.add(account)
    session.flush()
    return keys["U1"], prediction, account


def test_a_review_that_nobody_touched_is_at_version_0(store, study):
    with store.unit_of_work() as session:
        specimen_key, *_ = _predicted(session, study)
        assert rows.read_review(session, specimen_key).version == 0
        assert session.get(Review, specimen_key) is None


def test_a_review_is_held_and_counted(store, study):
    with store.unit_of_work() as session:
        specimen_key, _, account = _predicted(session, study)
        for expected in (1, 2):
            review = rows.lock_review(session, specimen_key)
            assert rows.raise_version(review, account.key) == expected
        session.commit()
    with store.reading() as session:
        found = rows.read_review(session, specimen_key)
        assert (found.version, found.signed_state, found.on_hold) == (2, "open", False)
        assert rows.account_name(session, found.changed_by) == "Ada R."


def test_of_corrections_of_a_cell_the_newest_holds(store, study):
    with store.unit_of_work() as session:
        _, prediction, account = _predicted(session, study)
        steps = [({1: "round", 2: "round"}, "lobed"), ({1: "lobed"}, "unclassified")]
        for before, after in steps:
            moved = dict.fromkeys(before, after)
            rows.add_corrections(session, prediction.key, before, moved, account.key)
        assert rows.corrections(session, prediction.key) == {1: "unclassified", 2: "lobed"}
        batch = rows.last_batch(session, prediction.key)
        assert (batch.before, batch.after) == ({1: "lobed"}, {1: "unclassified"})
        assert rows.last_moved_to(session, prediction.key, "unclassified") == 3
        assert rows.last_moved_to(session, prediction.key, "artefact") == 0


def test_nothing_corrected_is_nothing_to_undo(store, study):
    with store.unit_of_work() as session:
        _, prediction, _ = _predicted(session, study)
        assert rows.last_batch(session, prediction.key) is None


def test_notes_come_back_in_order_with_names(store, study):
    with store.unit_of_work() as session:
        specimen_key, prediction, account = _predicted(session, study)
        rows.add_note(session, specimen_key, "comment", account.key, text="pale")
        rows.add_note(
            session,
            specimen_key,
            "flag_accepted",
            account.key,
            subject="few_cells",
            prediction_key=prediction.key,
        )
        found = rows.notes(session, specimen_key)
    assert [(note.kind, note.by, note.text) for note in found] == [
        ("comment", "Ada R.", "pale"),
        ("flag_accepted", "Ada R.", ""),
    ]
