import pytest

from cellcensus.errors import ReviewError, StaleReviewError, UsageError
from db.audit import broken_entries
from flows.review import (
    Seen,
    accept_flag,
    comment,
    correct,
    hold,
    open_bench,
    request_rerun,
    see_bin,
    undo,
    unhold,
)
from tests.flows.review.conftest import STUDY, cells_of


def _correct(lab, cells, after, seen, actor=None):
    return correct(*lab.signing(actor=actor), cell_ids=cells, after=after, seen=seen)


def test_a_correction_moves_cells_and_shares_and_leaves_a_trail(laboratory):
    bench = laboratory.bench()
    cells = cells_of(bench, "round")[:2]
    seen = _correct(laboratory, cells, "lobed", bench.seen)
    found = laboratory.bench()
    assert found.seen == seen == Seen(1, bench.prediction_key)
    assert [row.count for row in found.before.rows] == [5, 5]
    assert [row.count for row in found.after.rows] == [3, 7]
    assert found.after.rows[1].fraction.value == pytest.approx(0.7)
    assert found.after.rows[1].per_ul.value == pytest.approx(700)
    assert found.corrections == 2
    moved = [cell for cell in found.groups[1].cells if cell.corrected]
    assert {cell.cell_id for cell in moved} == set(cells)
    assert {cell.called for cell in moved} == {"round"}
    (entry,) = laboratory.entries("result.corrected")
    assert entry.before == {"cells": {str(cell): "round" for cell in cells}}
    assert entry.after == {"cells": {str(cell): "lobed" for cell in cells}}
    assert (entry.actor, entry.model_id) == ("ada", bench.model.model_id)
    assert entry.subject == f"specimen:{STUDY}/U1"


def test_correcting_back_and_undoing_restore_the_prediction_exactly(laboratory):
    bench = laboratory.bench()
    cells = cells_of(bench, "round")[:3]
    seen = _correct(laboratory, cells, "lobed", bench.seen)
    seen = _correct(laboratory, cells, "round", seen)
    assert laboratory.bench().after == bench.after
    seen = _correct(laboratory, cells[:1], "artefact", seen)
    assert laboratory.bench().after.cells == bench.after.cells - 1
    seen = undo(*laboratory.signing(), seen=seen)
    assert laboratory.bench().after == bench.after
    undo(*laboratory.signing(), seen=seen)
    assert laboratory.bench().after.artefacts == 2


def test_cells_that_are_there_already_change_nothing(laboratory):
    bench = laboratory.bench()
    assert _correct(laboratory, cells_of(bench, "round"), "round", bench.seen) == bench.seen
    assert laboratory.entries("result.corrected") == []


@pytest.mark.parametrize(
    ("cells", "after", "said"),
    [([0], "blast", "no class 'blast'"), ([99], "lobed", "no cell 99")],
)
def test_what_there_is_not_is_refused(laboratory, cells, after, said):
    bench = laboratory.bench()
    with pytest.raises(ReviewError, match=said):
        _correct(laboratory, cells, after, bench.seen)
    assert laboratory.bench().seen == bench.seen


def test_the_second_of_two_people_is_told_who_was_first(laboratory):
    bench = laboratory.bench()
    _correct(laboratory, [0], "lobed", bench.seen, laboratory.bob)
    with pytest.raises(StaleReviewError, match=r"Bob R\. changed this result at 20") as caught:
        _correct(laboratory, [1], "lobed", bench.seen)
    assert caught.value.changed_by == "Bob R."
    assert laboratory.bench().corrections == 1


def test_who_saw_another_prediction_is_told(laboratory):
    bench = laboratory.bench()
    laboratory.predict_anew()
    with pytest.raises(StaleReviewError, match="has predicted this specimen anew"):
        _correct(laboratory, [0], "lobed", bench.seen)


def test_corrections_of_an_earlier_prediction_do_not_count(laboratory):
    bench = laboratory.bench()
    _correct(laboratory, [0, 1], "lobed", bench.seen)
    laboratory.predict_anew()
    found = laboratory.bench()
    assert (found.corrections, found.lost_corrections) == (0, 2)
    assert found.after == found.before


def test_a_hold_keeps_from_signing_until_it_is_lifted(laboratory):
    bench = laboratory.bench()
    seen = hold(*laboratory.at(), reason=" smear first ", seen=bench.seen)
    found = laboratory.bench()
    assert found.state == "on_hold"
    assert (found.hold.by, found.hold.text) == ("Ada R.", "smear first")
    assert "It is on hold by Ada R.: smear first" in found.blockers
    with pytest.raises(ReviewError, match="on hold already"):
        hold(*laboratory.at(), reason="again", seen=seen)
    seen = unhold(*laboratory.at(), reason="smear is normal", seen=seen)
    assert laboratory.bench().state == "open"
    with pytest.raises(ReviewError, match="not on hold"):
        unhold(*laboratory.at(), reason="again", seen=seen)
    assert [e.reason for e in laboratory.entries()[-2:]] == ["smear first", "smear is normal"]


def test_the_bin_is_seen_until_another_cell_is_put_in(laboratory):
    bench = laboratory.bench()
    blocked = "The 2 unclassified cells were not looked at."
    assert blocked in bench.blockers
    seen = see_bin(*laboratory.at(), seen=bench.seen)
    assert laboratory.bench().blockers == ()
    assert laboratory.bench().bin_seen_by == "Ada R."
    seen = _correct(laboratory, [0], "lobed", seen)
    assert laboratory.bench().blockers == ()
    _correct(laboratory, [1], "unclassified", seen)
    assert laboratory.bench().blockers == ("The 3 unclassified cells were not looked at.",)


def test_an_empty_bin_need_not_be_seen(laboratory):
    bench = laboratory.bench()
    _correct(laboratory, cells_of(bench, "unclassified"), "lobed", bench.seen)
    assert laboratory.bench().blockers == ()


def test_a_blocking_flag_is_open_until_somebody_answers_for_it(laboratory):
    laboratory.folder.film("U1", "dirt dirt")
    from flows.ingest import ingest_study
    from flows.predict import predict_study

    ingest_study(laboratory.ctx, laboratory.folder.path)
    predict_study(laboratory.ctx, laboratory.folder.path)
    bench = laboratory.bench()
    assert bench.blockers == ("The flag “No cells” is open.",)
    assert bench.flags[0].open
    with pytest.raises(ReviewError, match="a reason is needed"):
        accept_flag(*laboratory.at(), code="no_cells", reason=" ", seen=bench.seen)
    with pytest.raises(ReviewError, match="no flag few_cells"):
        accept_flag(*laboratory.at(), code="few_cells", reason="so it is", seen=bench.seen)
    accept_flag(*laboratory.at(), code="no_cells", reason="aplasia", seen=bench.seen)
    found = laboratory.bench()
    assert found.blockers == ()
    assert (found.flags[0].accepted_by, found.flags[0].reason) == ("Ada R.", "aplasia")
    assert laboratory.entries("flag.accepted")[0].reason == "aplasia"


def test_what_people_say_is_kept(laboratory):
    comment(*laboratory.at(), text="pale film")
    request_rerun(*laboratory.at(actor=laboratory.bob), reason="out of focus")
    found = laboratory.bench()
    assert [(note.by, note.text) for note in found.steps[:1]] == [("Ada R.", "pale film")]
    assert [note.kind for note in found.steps] == ["comment", "rerun_requested"]
    assert (found.changed_by, found.seen.version) == ("Bob R.", 2)
    with pytest.raises(ReviewError, match="a reason is needed"):
        comment(*laboratory.at(), text="")


def test_the_trail_is_whole_after_all_this(laboratory):
    bench = laboratory.bench()
    seen = _correct(laboratory, [0], "lobed", bench.seen)
    undo(*laboratory.signing(), seen=seen)
    with laboratory.store.reading() as session:
        assert list(broken_entries(session)) == []
    assert len([entry for entry in laboratory.entries() if entry.actor == "ada"]) == 2


def test_specimens_that_are_not_there_are_named(laboratory):
    with pytest.raises(UsageError, match="no specimen X9"):
        laboratory.bench("X9")
    with pytest.raises(UsageError, match="study elsewhere has no specimen"):
        open_bench(laboratory.store, laboratory.settings, "elsewhere", "U1")


def test_what_was_not_predicted_can_be_opened_and_not_signed(laboratory):
    bench = laboratory.bench("B1")
    assert bench.blockers == ("Nothing was predicted for this specimen yet.",)
    assert bench.after is None
    with pytest.raises(ReviewError, match="nothing was predicted"):
        correct(*laboratory.signing("B1"), cell_ids=[0], after="round", seen=bench.seen)


@pytest.mark.parametrize("text", ["", "3", "3.x", "-1.2", "3.2.1"])
def test_what_a_page_does_not_say_is_refused(text):
    with pytest.raises(UsageError):
        Seen.parse(text)


def test_what_was_seen_survives_a_form():
    for seen in (Seen(0, None), Seen(12, 7)):
        assert Seen.parse(str(seen)) == seen
