import pickle

from cellcensus.errors import RecordingError


def test_an_error_says_what_where_and_what_next():
    error = RecordingError(
        "the file is empty",
        code="empty_file",
        specimen_id="U01",
        file="a.avi",
        next_step="copy it again",
    )
    assert str(error) == "the file is empty (specimen U01, file a.avi). Next step: copy it again"


def test_an_error_comes_back_whole_from_another_process():
    error = RecordingError("the file is empty", code="empty_file", specimen_id="U01")
    returned = pickle.loads(pickle.dumps(error))
    assert (type(returned), returned.code, str(returned)) == (
        RecordingError,
        "empty_file",
        str(error),
    )
