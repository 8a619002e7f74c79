from db.cells import (
    current_cell_files,
    find_cell_file,
    make_current,
    record_recording,
    recording_with_stamp,
    set_aside,
)
from tests.db.rows import put_cells, put_study


def test_one_cell_file_of_a_specimen_is_current(store, study):
    with store.unit_of_work() as session:
        key, specimens = put_study(session, study)
        first = put_cells(session, key, specimens["U1"], "ingest-1-a")
        put_cells(session, key, specimens["U1"], "ingest-1-b")
        assert current_cell_files(session, key)["U1"].recipe_id == "ingest-1-b"
        make_current(session, first)
        assert current_cell_files(session, key)["U1"].recipe_id == "ingest-1-a"
        set_aside(session, specimens["U1"])
        assert current_cell_files(session, key) == {}
        assert find_cell_file(session, specimens["U1"], "ingest-1-b") is not None


def test_an_untouched_recording_is_known_by_its_stamp(store, study):
    with store.unit_of_work() as session:
        key, _ = put_study(session, study)
        record_recording(session, key, "a.avi", sha256="1" * 64, size=9, stamp="9:100")
        assert recording_with_stamp(session, key, "a.avi", "9:100").sha256 == "1" * 64
        assert recording_with_stamp(session, key, "a.avi", "9:200") is None
        assert recording_with_stamp(session, key, "b.avi", "9:100") is None
        session.commit()


def test_a_touched_recording_of_the_same_content_is_the_same(store, study):
    with store.unit_of_work() as session:
        key, _ = put_study(session, study)
        one = record_recording(session, key, "a.avi", sha256="1" * 64, size=9, stamp="9:100")
        two = record_recording(session, key, "a.avi", sha256="1" * 64, size=9, stamp="9:200")
        other = record_recording(session, key, "a.avi", sha256="2" * 64, size=9, stamp="9:300")
        assert one.key == two.key != other.key
