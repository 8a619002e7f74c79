from dataclasses import replace

import pytest
from sqlalchemy import select

from cellcensus.errors import UsageError
from db.studies import find_study, load_study, record_study, specimen_keys
from db.tables import SpecimenRevision, StudyRevision


def _record(store, study):
    with store.unit_of_work() as session:
        key = record_study(session, study)
        session.commit()
    return key


def _all(store, table):
    with store.reading() as session:
        return session.scalars(select(table).order_by(table.key)).all()


def test_a_study_comes_back_as_it_was_recorded(store, study):
    _record(store, study)
    with store.reading() as session:
        assert load_study(session, "made-up") == replace(study, folder=study.folder.resolve())


def test_the_same_sheet_again_changes_nothing(store, study):
    _record(store, study)
    _record(store, study)
    assert len(_all(store, SpecimenRevision)) == 3
    assert len(_all(store, StudyRevision)) == 1


def test_a_changed_row_stands_beside_the_old_one(store, study):
    _record(store, study)
    changed = replace(study.specimens[1], per_ul={"round": 4100.0})
    _record(store, replace(study, specimens=(study.specimens[0], changed, study.specimens[2])))
    revisions = _all(store, SpecimenRevision)
    assert len(revisions) == 4
    old, new = (r for r in revisions if r.donor_id == "D2")
    assert (old.number, old.latest, new.number, new.latest) == (1, False, 2, True)
    assert {c.per_ul for c in old.counts} == {4000.0, None}
    with store.reading() as session:
        assert load_study(session, "made-up").specimens[1] == changed


def test_changing_back_is_a_change_too(store, study):
    for purity in (0.97, 0.90, 0.97):
        first = replace(study.specimens[0], purity=purity)
        _record(store, replace(study, specimens=(first, *study.specimens[1:])))
    with store.reading() as session:
        assert load_study(session, "made-up").specimens[0].purity == 0.97
    assert [r.purity for r in _all(store, SpecimenRevision) if r.donor_id == "D1"] == [
        0.97,
        0.90,
        0.97,
    ]


def test_a_specimen_taken_off_the_sheet_keeps_its_identity(store, study):
    key = _record(store, study)
    _record(store, replace(study, specimens=study.specimens[:2]))
    with store.reading() as session:
        assert [s.specimen_id for s in load_study(session, "made-up").specimens] == ["P1", "M1"]
        assert set(specimen_keys(session, key)) == {"P1", "M1", "U1"}
    _record(store, study)
    with store.reading() as session:
        assert len(load_study(session, "made-up").specimens) == 3


def test_an_unknown_study_names_the_known_ones(store, study):
    _record(store, study)
    with store.reading() as session, pytest.raises(UsageError, match="made-up"):
        find_study(session, "other")
