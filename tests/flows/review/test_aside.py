import pytest

from cellcensus.errors import ReviewError
from flows.ingest import ingest_study
from flows.predict import predict_study
from flows.review import discard, release_quarantine
from tests.flows.review.conftest import STUDY


@pytest.fixture
def aside(laboratory):
    """U1 was filmed again, without a cell."""
    laboratory.folder.film("U1", "")
    ingest_study(laboratory.ctx, laboratory.folder.path)
    return laboratory


def _run(lab):
    outcome = ingest_study(lab.ctx, lab.folder.path)
    predict_study(lab.ctx, lab.folder.path)
    return dict(outcome.quarantined)


def test_quarantine_keeps_from_signing(aside):
    bench = aside.bench()
    assert bench.quarantined == "the recording has no cells"
    assert bench.blockers[0] == "The specimen is in quarantine: the recording has no cells."


def test_what_is_released_is_tried_again(aside, calls):
    before = calls["ingest"]
    _run(aside)
    assert calls["ingest"] == before  # the same is not tried twice in vain
    release_quarantine(*aside.at(), reason="the pump was off")
    assert aside.bench().quarantined == ""
    assert "U1" in _run(aside)
    assert calls["ingest"] > before
    (entry,) = aside.entries("quarantine.released")
    assert entry.reason == "the pump was off"
    assert entry.before["code"] == "no_cells"


def test_what_is_discarded_stays_aside_even_with_a_good_recording(aside, calls):
    discard(*aside.at(), reason="tube broken")
    aside.folder.film("U1", "round lobed round lobed")
    before = calls["ingest"]
    assert "U1" in _run(aside)
    assert calls["ingest"] == before
    assert aside.bench().model is None
    assert aside.entries("specimen.discarded")[0].reason == "tube broken"
    with pytest.raises(ReviewError, match="discarded before"):
        discard(*aside.at(), reason="tube broken")


def test_what_was_discarded_can_be_taken_back(aside):
    discard(*aside.at(), reason="tube broken")
    release_quarantine(*aside.at(), reason="it was another tube")
    aside.folder.film("U1", "round lobed round lobed")
    assert "U1" not in _run(aside)
    assert aside.bench().after.cells == 4


def test_only_what_is_in_quarantine_can_be_released_or_discarded(laboratory):
    with pytest.raises(ReviewError, match="not in quarantine"):
        release_quarantine(*laboratory.at(), reason="why not")
    with pytest.raises(ReviewError, match="not in quarantine"):
        discard(*laboratory.at(), reason="why not")
    with pytest.raises(ReviewError, match="a reason is needed"):
        discard(*laboratory.at(), reason="  ")


def test_others_are_worked_on_as_before(aside):
    discard(*aside.at(), reason="tube broken")
    aside.folder.film("M1", "round round lobed lobed")
    assert set(_run(aside)) == {"U1"}
    assert aside.bench("M1").after is not None
    assert aside.bench("M1").study == STUDY
