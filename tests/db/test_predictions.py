from db import registry
from db.predictions import (
    current_predictions,
    find_prediction,
    held_out_of,
    history,
    make_current,
    set_aside,
)
from tests.db.rows import put_cells, put_model, put_prediction, put_study


def _setting(session, study):
    key, specimens = put_study(session, study)
    cell_file = put_cells(session, key, specimens["U1"])
    model = put_model(session, "model-1-a")
    registry.crown(session, model, action="first", reasons=[])
    return key, cell_file, model


def _ids(session, key):
    return [found.prediction.recipe_id for found in current_predictions(session, key)]


def test_classes_come_back_in_reporting_order(store, study):
    with store.unit_of_work() as session:
        _, cell_file, model = _setting(session, study)
        put_prediction(session, cell_file, model, "p-1")
        session.commit()
    with store.reading() as session:
        found = find_prediction(session, cell_file.specimen_key, "p-1")
        assert [(row.cell_class, row.fraction) for row in found.rows] == [
            ("round", 0.6),
            ("lobed", 0.4),
        ]


def test_the_newest_of_the_champion_is_current(store, study):
    with store.unit_of_work() as session:
        key, cell_file, model = _setting(session, study)
        first = put_prediction(session, cell_file, model, "p-1")
        put_prediction(session, cell_file, model, "p-2")
        assert _ids(session, key) == ["p-2"]
        make_current(session, first)  # settings were changed back
        assert _ids(session, key) == ["p-1"]
        assert [p.recipe_id for p in history(session, cell_file.specimen_key)] == ["p-2", "p-1"]


def test_a_promotion_keeps_what_was_reported_until_there_is_something_newer(store, study):
    with store.unit_of_work() as session:
        key, cell_file, old = _setting(session, study)
        put_prediction(session, cell_file, old, "p-old")
        new = put_model(session, "model-1-b")
        put_prediction(session, cell_file, new, "p-shadow")
        assert _ids(session, key) == ["p-old"]  # a candidate's predictions are never in force
        registry.crown(session, new, action="promote", reasons=[])
        assert _ids(session, key) == ["p-shadow"]
        registry.crown(session, old, action="rollback", reasons=[])
        assert _ids(session, key) == ["p-old"]


def test_a_quarantined_specimen_has_no_current_prediction(store, study):
    with store.unit_of_work() as session:
        key, cell_file, model = _setting(session, study)
        put_prediction(session, cell_file, model, "p-1")
        set_aside(session, cell_file.specimen_key)
        assert _ids(session, key) == []


def test_held_out_predictions_are_found_by_specimen(store, study):
    with store.unit_of_work() as session:
        _, cell_file, model = _setting(session, study)
        put_prediction(session, cell_file, model, "p-1", held_out=True)
        assert set(held_out_of(session, model.key)) == {cell_file.specimen_key}
        put_prediction(session, cell_file, model, "p-2")
        assert held_out_of(session, model.key) == {}
