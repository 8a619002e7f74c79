import shutil

import pytest
from sqlalchemy import select

from cellcensus.errors import StudyError, UsageError
from db.tables import CellFile, Finding, Run, SpecimenRevision
from flows.ingest import ingest_study


def _all(ctx, table):
    with ctx.store.reading() as session:
        return session.scalars(select(table).order_by(table.key)).all()


def test_every_recording_becomes_cells(ctx, study):
    outcome = ingest_study(ctx, study.path)
    assert (outcome.done, outcome.skipped, outcome.exit_code) == (6, 0, 0)
    rows = _all(ctx, CellFile)
    assert {row.n_cells for row in rows} == {10, 0}
    assert all((ctx.home / row.path / "cells.json").is_file() for row in rows)
    assert rows[0].quality["figures"] == {"focus": None, "cells": 10}


def test_the_same_again_does_nothing_and_says_so(ctx, study, calls):
    ingest_study(ctx, study.path)
    outcome = ingest_study(ctx, study.path)
    assert calls["ingest"] == 6
    assert outcome.summary() == "ingest: nothing to do: 6 of 6 up to date"
    assert len(_all(ctx, CellFile)) == 6
    assert [run.state for run in _all(ctx, Run)] == ["done", "done"]


def test_an_untouched_recording_is_not_read_again(ctx, study, monkeypatch):
    ingest_study(ctx, study.path)

    def refuse(_files):
        raise AssertionError("read again")

    monkeypatch.setattr("flows.identity.RecordingFiles.sha256", refuse)
    assert ingest_study(ctx, study.path).skipped == 6


def test_a_changed_recording_makes_new_rows_beside_the_old(ctx, study):
    ingest_study(ctx, study.path)
    study.film("U1", "round " * 8)
    outcome = ingest_study(ctx, study.path)
    assert (outcome.done, outcome.skipped) == (1, 5)
    rows = _all(ctx, CellFile)
    assert [row.n_cells for row in rows if row.current] == [10, 10, 10, 10, 0, 8]
    assert [row.n_cells for row in rows if not row.current] == [10]
    assert all((ctx.home / row.path).is_dir() for row in rows)


def test_changed_settings_make_new_rows_and_changing_back_none(opened, calls, study):
    ingest_study(opened(), study.path)
    other = opened(ingest={"views": 2})
    assert ingest_study(other, study.path).done == 6
    assert ingest_study(opened(), study.path).skipped == 6
    assert calls["ingest"] == 12
    current = [row.recipe["settings"]["views"] for row in _all(other, CellFile) if row.current]
    assert current == [3] * 6


def test_a_bad_recording_is_set_aside_and_the_others_go_on(ctx, study, calls):
    study.film("U1", "")
    outcome = ingest_study(ctx, study.path)
    assert (outcome.done, outcome.exit_code) == (5, 3)
    assert outcome.quarantined == [("U1", "recordings/U1.avi: the recording has no cells")]
    assert outcome.next_steps.keys() == {"U1"}
    assert (study.path / "recordings" / "U1.avi").read_text() == ""  # the original is untouched
    again = ingest_study(ctx, study.path)
    assert calls["ingest"] == 6  # the same recording is not tried in vain
    assert again.quarantined == outcome.quarantined
    assert again.exit_code == 3


def test_a_repaired_recording_leaves_the_quarantine(ctx, study):
    study.film("U1", "")
    ingest_study(ctx, study.path)
    study.film("U1", "round " * 5)
    outcome = ingest_study(ctx, study.path)
    assert (outcome.done, outcome.quarantined, outcome.exit_code) == (1, [], 0)
    assert [f.code for f in _all(ctx, Finding) if f.cleared_at is None and f.quarantines] == []


def test_a_recording_damaged_later_takes_its_old_cells_out_of_force(ctx, study):
    ingest_study(ctx, study.path)
    study.film("U1", "")
    ingest_study(ctx, study.path)
    assert sum(row.current for row in _all(ctx, CellFile)) == 5
    study.film("U1", "round " * 5 + "lobed " * 5)  # what it was: nothing to compute
    outcome = ingest_study(ctx, study.path)
    assert (outcome.done, outcome.skipped, outcome.quarantined) == (0, 6, [])
    assert sum(row.current for row in _all(ctx, CellFile)) == 6


def test_a_hiccup_is_tried_twice_and_again_next_time(ctx, study, calls):
    study.film("U1", "hiccup")
    outcome = ingest_study(ctx, study.path)
    assert calls["ingest"] == 7
    assert [name for name, _ in outcome.quarantined] == ["U1"]
    ingest_study(ctx, study.path)
    assert calls["ingest"] == 9


def test_a_missing_recording_is_quarantined_by_the_sheet(ctx, study):
    (study.path / "recordings" / "U1.avi").unlink()
    outcome = ingest_study(ctx, study.path)
    assert outcome.done == 5
    assert [name for name, _ in outcome.quarantined] == ["U1"]


def test_findings_of_a_recording_are_kept(ctx, study):
    study.film("U1", "round lobed")
    ingest_study(ctx, study.path)
    kept = [f for f in _all(ctx, Finding) if f.source == "ingest"]
    assert [(f.code, f.level, f.quarantines) for f in kept] == [("few_cells", "alert", False)]


def test_one_specimen_can_be_asked_for(ctx, study):
    assert ingest_study(ctx, study.path, specimens=["U1"]).done == 1
    with pytest.raises(UsageError, match="nobody"):
        ingest_study(ctx, study.path, specimens=["nobody"])


def test_lost_files_are_made_again(ctx, study):
    ingest_study(ctx, study.path)
    shutil.rmtree(ctx.home / _all(ctx, CellFile)[0].path)
    assert ingest_study(ctx, study.path).done == 1
    assert len(_all(ctx, CellFile)) == 6


def test_files_published_before_a_crash_are_made_again(ctx, study, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("flows.ingest.cells.add_cell_file", _power_cut)
        with pytest.raises(KeyboardInterrupt):
            ingest_study(ctx, study.path)
    assert _all(ctx, CellFile) == []
    assert _all(ctx, Run)[0].state == "failed"
    assert ingest_study(ctx, study.path).done == 6


def _power_cut(*_args, **_keywords):
    raise KeyboardInterrupt


def test_a_changed_sheet_is_recorded_without_new_cells(ctx, study):
    ingest_study(ctx, study.path)
    study.rows["P1"]["purity"] = "0.97"
    study.write()
    assert ingest_study(ctx, study.path).skipped == 6
    assert len(_all(ctx, SpecimenRevision)) == 7


def test_an_unusable_study_says_why(ctx, tmp_path):
    with pytest.raises(StudyError) as caught:
        ingest_study(ctx, tmp_path / "nothing")
    assert caught.value.findings


def test_a_full_disk_is_no_fault_of_a_specimen(ctx, study):
    study.film("U1", "full")
    with pytest.raises(OSError, match="No space left"):
        ingest_study(ctx, study.path)
    assert [f.code for f in _all(ctx, Finding) if f.quarantines] == []
    study.film("U1", "round " * 5)
    assert ingest_study(ctx, study.path).exit_code == 0
