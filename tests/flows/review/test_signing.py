import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from cellcensus.errors import ReviewError, StaleReviewError
from db.tables import OutboxMessage, ReportVersion
from flows.export import export_fhir, export_hl7, left_out, prediction_rows
from flows.report import report_study
from flows.review import correct, hold, release, see_bin, sign, verify
from flows.versions import draw_version, version_content
from reports.identity import report_sha256
from tests.flows.review.conftest import STUDY, cells_of


def _sign(lab, meaning="released", actor=None, cells=(), after="lobed"):
    seen = lab.bench().seen
    if cells:
        seen = correct(*lab.signing(), cell_ids=cells, after=after, seen=seen)
    seen = see_bin(*lab.at(), seen=seen)
    return sign(*lab.signing(actor=actor), meaning=meaning, seen=seen)


def _versions(lab):
    with lab.store.reading() as session:
        found = session.scalars(select(ReportVersion).order_by(ReportVersion.version)).all()
        for version in found:
            _ = version.pictures
    return found


def _file(lab, version):
    return lab.settings.home.resolve() / version.path


def test_a_signature_releases_a_final_report(laboratory):
    seen = _sign(laboratory)
    bench = laboratory.bench()
    assert (bench.state, bench.seen) == ("released", seen)
    (line,) = bench.versions
    assert (line.version, line.state) == (1, "final")
    assert [(s.full_name, s.meaning) for s in line.signatures] == [("Ada R.", "released")]
    (version,) = _versions(laboratory)
    page = _file(laboratory, version).read_text()
    assert "Ada R." in page
    assert version.report_sha256[:12] in page
    (entry,) = laboratory.entries("report.released")
    assert entry.after["report_sha256"] == version.report_sha256
    assert entry.after["version"] == 1


def test_sign_correct_sign_again_and_both_can_be_read(laboratory):
    _sign(laboratory)
    _sign(laboratory, cells=[0, 1])
    bench = laboratory.bench()
    assert [line.state for line in bench.versions] == ["final", "corrected"]
    assert bench.state == "corrected"
    first, second = _versions(laboratory)
    one, two = version_content(first), version_content(second)
    assert [row.count for row in one.rows] == [5, 5]
    assert [row.count for row in two.rows] == [3, 7]
    assert "cells_reclassified" in two.flags
    assert "cells_reclassified" not in one.flags
    for version, content in ((first, one), (second, two)):
        assert report_sha256(content) == version.report_sha256
        assert content.gallery
        assert content.signature.report_sha256 == version.report_sha256
        assert draw_version(version) == _file(laboratory, version).read_bytes()
    assert verify(laboratory.store, laboratory.settings, STUDY, "U1") == {1: (), 2: ()}


def test_a_version_is_drawn_again_without_the_files_of_the_pipeline(laboratory):
    import shutil

    _sign(laboratory, cells=[0])
    page = _file(laboratory, _versions(laboratory)[0]).read_bytes()
    for folder in ("cells", "predictions", "models", "reports"):
        shutil.rmtree(laboratory.settings.home / folder)
    laboratory.set("reports", paper="Letter", laboratory="Another")
    assert draw_version(_versions(laboratory)[0]) == page


def test_what_was_signed_is_not_signed_again_unchanged(laboratory):
    seen = _sign(laboratory)
    with pytest.raises(ReviewError, match="Version 1 is signed, and nothing was changed since"):
        sign(*laboratory.signing(), meaning="released", seen=seen)


def test_signing_is_refused_in_words_while_anything_is_open(laboratory):
    bench = laboratory.bench()
    with pytest.raises(ReviewError, match="2 unclassified cells were not looked at"):
        sign(*laboratory.signing(), meaning="released", seen=bench.seen)
    seen = hold(*laboratory.at(), reason="smear first", seen=bench.seen)
    seen = see_bin(*laboratory.at(), seen=seen)
    with pytest.raises(ReviewError, match="on hold by Ada R"):
        sign(*laboratory.signing(), meaning="released", seen=seen)
    with pytest.raises(ReviewError, match="cannot mean 'read'"):
        sign(*laboratory.signing(), meaning="read", seen=seen)
    assert _versions(laboratory) == []
    assert not (laboratory.settings.home / "reports" / STUDY / "signed").exists()


def test_who_signs_what_they_have_not_seen_is_told(laboratory):
    bench = laboratory.bench()
    see_bin(*laboratory.at(actor=laboratory.bob), seen=bench.seen)
    with pytest.raises(StaleReviewError, match="Bob R"):
        sign(*laboratory.signing(), meaning="released", seen=bench.seen)
    seen = laboratory.bench().seen
    laboratory.predict_anew()
    with pytest.raises(StaleReviewError, match="predicted this specimen anew"):
        sign(*laboratory.signing(), meaning="released", seen=seen)


def test_a_new_prediction_opens_the_specimen_again(laboratory):
    _sign(laboratory)
    laboratory.predict_anew()
    assert laboratory.bench().state == "open"
    _sign(laboratory)
    assert [line.state for line in laboratory.bench().versions] == ["final", "corrected"]
    first, second = _versions(laboratory)
    assert first.prediction_key != second.prediction_key


def test_two_persons_release(laboratory):
    laboratory.set("review", two_person_release=True)
    with pytest.raises(ReviewError, match="by two persons"):
        sign(*laboratory.signing(), meaning="released", seen=laboratory.bench().seen)
    seen = _sign(laboratory, "reviewed")
    bench = laboratory.bench()
    assert (bench.state, bench.versions[0].state) == ("reviewed", "preliminary")
    assert bench.release_blockers == ()
    with pytest.raises(ReviewError, match="whoever signed a report cannot release it"):
        release(*laboratory.signing(), seen=seen)
    release(*laboratory.signing(actor=laboratory.bob), seen=seen)
    bench = laboratory.bench()
    assert (bench.state, bench.versions[0].state) == ("released", "final")
    assert [s.meaning for s in bench.versions[0].signatures] == ["reviewed", "released"]
    (version,) = _versions(laboratory)
    page = _file(laboratory, version).read_text()
    assert "Bob R." in page
    assert "Ada R." in page
    assert verify(laboratory.store, laboratory.settings, STUDY, "U1") == {1: ()}
    # The page that only one person had signed stays beside it.
    assert len(list(_file(laboratory, version).parent.iterdir())) == 2


def test_what_was_changed_since_is_not_released(laboratory):
    laboratory.set("review", two_person_release=True)
    _sign(laboratory, "reviewed")
    seen = correct(*laboratory.signing(), cell_ids=[0], after="lobed", seen=laboratory.bench().seen)
    with pytest.raises(ReviewError, match="changed since version 1 was signed"):
        release(*laboratory.signing(actor=laboratory.bob), seen=seen)
    _sign(laboratory, "reviewed")
    release(*laboratory.signing(actor=laboratory.bob), seen=laboratory.bench().seen)
    # Version 1 never left the house, so the first to do so is final.
    assert [line.state for line in laboratory.bench().versions] == ["preliminary", "final"]


def test_there_must_be_something_to_release(laboratory):
    with pytest.raises(ReviewError, match="no signed version that waits"):
        release(*laboratory.signing(), seen=laboratory.bench().seen)


def test_an_altered_version_is_not_released(laboratory):
    laboratory.set("review", two_person_release=True)
    seen = _sign(laboratory, "reviewed")
    with laboratory.store.unit_of_work() as session:
        version = session.scalars(select(ReportVersion)).one()
        version.content = {**version.content, "cells": 999}
        session.commit()
    with pytest.raises(ReviewError, match="not what was signed any more"):
        release(*laboratory.signing(actor=laboratory.bob), seen=seen)


def test_a_released_report_is_in_the_outbox_and_an_unreleased_one_is_not(laboratory, tmp_path):
    from cellcensus.settings import DestinationSettings

    folder = DestinationSettings(kind="file", folder=tmp_path / "out")
    laboratory.set("interfaces", destinations={"lis": folder})
    laboratory.set("review", two_person_release=True)
    seen = _sign(laboratory, "reviewed")
    with laboratory.store.reading() as session:
        assert session.scalars(select(OutboxMessage)).all() == []
    release(*laboratory.signing(actor=laboratory.bob), seen=seen)
    with laboratory.store.reading() as session:
        (message,) = session.scalars(select(OutboxMessage)).all()
    assert message.destination == "lis"
    assert "Bob R." in message.body or "|F|" in message.body


def _rows(lab, specimen_id="U1"):
    return [row for row in prediction_rows(lab.ctx, STUDY) if row["specimen_id"] == specimen_id]


def test_exports_tell_what_was_released_and_nothing_of_what_was_not(laboratory, tmp_path):
    before = _rows(laboratory)
    correct(*laboratory.signing(), cell_ids=[0, 1], after="lobed", seen=laboratory.bench().seen)
    assert _rows(laboratory) == before
    _sign(laboratory)
    released = _rows(laboratory)
    assert [row["fraction"] for row in released] == pytest.approx([0.3, 0.7])
    assert released[0]["flags"].split(";")[-1] == "cells_reclassified"
    assert released[0].keys() == before[0].keys()
    correct(*laboratory.signing(), cell_ids=[2], after="lobed", seen=laboratory.bench().seen)
    assert _rows(laboratory) == released
    export_fhir(laboratory.ctx, STUDY, tmp_path / "fhir.json")
    bundles = json.loads((tmp_path / "fhir.json").read_text())
    status = [e["resource"]["entry"][0]["resource"]["status"] for e in bundles["entry"]]
    assert sorted(set(status)) == ["final", "preliminary"]
    assert status.count("final") == 1
    export_hl7(laboratory.ctx, STUDY, tmp_path / "hl7.txt")
    messages = (tmp_path / "hl7.txt").read_bytes().split(b"MSH|")[1:]
    assert sum(b"|||||F||" in message for message in messages) == 1
    assert sum(b"|||||P||" in message for message in messages) == len(messages) - 1


def _shelf(lab):
    """Cells on the unclassified shelf of the newest signed report; nothing without one."""
    shelves = {s.cell_class: s for s in version_content(_versions(lab)[-1]).gallery}
    assert list(shelves)[:2] == ["round", "lobed"]
    return [cell.cell_id for cell in shelves["unclassified"].uncertain] if len(shelves) > 2 else []


def test_a_corrected_cell_leaves_the_shelf_of_the_unclassified_or_comes_onto_it(laboratory):
    _sign(laboratory)
    assert _shelf(laboratory) == [10, 11]
    _sign(laboratory, cells=[10], after="round")
    assert _shelf(laboratory) == [11]
    _sign(laboratory, cells=[3], after="unclassified")
    assert _shelf(laboratory) == [3, 11]
    _sign(laboratory, cells=[3, 11], after="artefact")
    assert _shelf(laboratory) == []
    pages = [_file(laboratory, version).read_text() for version in _versions(laboratory)]
    shown = ["Unclassified cells: 2", "Unclassified cells: 1", "Unclassified cells: 2"]
    for page, heading in zip(pages, shown, strict=False):
        assert heading in page
    assert "Unclassified cells" not in pages[-1]
    assert verify(laboratory.store, laboratory.settings, STUDY, "U1") == dict.fromkeys(
        (1, 2, 3, 4), ()
    )


def test_what_was_signed_without_that_shelf_stands_as_it_was(laboratory, monkeypatch):
    from flows.contents import gallery

    monkeypatch.setattr("flows.contents.gallery", lambda *given: gallery(*given)[:2])
    _sign(laboratory)
    monkeypatch.undo()
    (version,) = _versions(laboratory)
    assert [shelf.cell_class for shelf in version_content(version).gallery] == ["round", "lobed"]
    page = _file(laboratory, version).read_bytes()
    assert b"Unclassified cells" not in page
    assert draw_version(version) == page
    assert verify(laboratory.store, laboratory.settings, STUDY, "U1") == {1: ()}


def test_an_unreleased_signature_changes_no_export(laboratory):
    laboratory.set("review", two_person_release=True)
    before = _rows(laboratory)
    _sign(laboratory, "reviewed", cells=[0])
    assert _rows(laboratory) == before


def test_the_report_stage_shows_the_released_page_and_leaves_it_alone(laboratory):
    report_study(laboratory.ctx, laboratory.folder.path)
    page = laboratory.settings.home / "reports" / STUDY / "U1.html"
    unsigned = page.read_bytes()
    _sign(laboratory, cells=[0])
    assert page.read_bytes() == unsigned
    (version,) = _versions(laboratory)
    signed, stamp = _file(laboratory, version), _file(laboratory, version).stat().st_mtime_ns
    assert report_study(laboratory.ctx, laboratory.folder.path).done == 1
    assert page.read_bytes() == signed.read_bytes()
    laboratory.set("reports", paper="Letter")
    report_study(laboratory.ctx, laboratory.folder.path)
    assert page.read_bytes() == signed.read_bytes()
    assert signed.stat().st_mtime_ns == stamp
    index = (page.parent / "index.html").read_text()
    assert "40.0" in index or "60.0" in index


def test_an_altered_signed_page_is_not_passed_on(laboratory):
    _sign(laboratory)
    file = _file(laboratory, _versions(laboratory)[0])
    file.write_text(file.read_text().replace("Ada R.", "Eve R."))
    outcome = report_study(laboratory.ctx, laboratory.folder.path)
    assert outcome.exit_code == 1
    assert "missing or was altered" in outcome.failed[0][1]


def test_a_released_report_stands_while_its_specimen_is_in_quarantine(laboratory):
    from flows.ingest import ingest_study

    _sign(laboratory)
    before = _rows(laboratory)
    laboratory.folder.film("U1", "")
    ingest_study(laboratory.ctx, laboratory.folder.path)
    assert "U1" not in left_out(laboratory.ctx, STUDY)
    assert _rows(laboratory) == before


def test_the_unsigned_content_has_the_hash_that_is_signed(laboratory):
    from flows.contents import specimen_content
    from flows.subjects import gather_one

    with laboratory.store.reading() as session:
        subject = gather_one(session, STUDY, "U1")
    shown = specimen_content(subject, laboratory.ctx.home, laboratory.settings)
    _sign(laboratory)
    assert _versions(laboratory)[0].report_sha256 == report_sha256(shown)
    moved = specimen_content(
        replace(subject, corrections={cells_of(laboratory.bench(), "round")[0]: "lobed"}),
        laboratory.ctx.home,
        laboratory.settings,
    )
    assert report_sha256(moved) != report_sha256(shown)
