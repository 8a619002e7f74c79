from flows.papers import specimen_paper
from flows.report import report_study
from flows.review import correct, see_bin, sign
from reports.identity import report_id
from tests.flows.review.conftest import STUDY, cells_of
from tests.reports.reading import pdf_text


def signed(lab):
    seen = see_bin(*lab.at(), seen=lab.bench().seen)
    return sign(*lab.signing(), meaning="released", seen=seen)


def paper(lab, language=None):
    with lab.store.reading() as session:
        return specimen_paper(session, lab.settings, STUDY, "U1", language)


def test_a_signed_report_is_drawn_as_it_was_signed(laboratory):
    signed(laboratory)
    pdf = paper(laboratory)
    laboratory.predict_anew()
    assert paper(laboratory) == pdf
    text = pdf_text(pdf)
    assert "Final, version 1" in text
    assert "Ada R.: released" in text
    assert "Ada R.: freigegeben" in pdf_text(paper(laboratory, "de"))


def test_a_corrected_report_names_what_it_replaces(laboratory):
    lab = laboratory
    seen = signed(lab)
    before = lab.bench().versions[-1]
    ids = cells_of(lab.bench(), "round")[:2]
    seen = correct(*lab.signing(), cell_ids=ids, after="lobed", seen=seen)
    sign(*lab.signing(), meaning="released", seen=seen)
    text = pdf_text(paper(lab))
    assert "Corrected, version 2" in text
    assert f"Replaces R-{before.report_sha256[:12]}" in text


def test_the_stage_writes_the_signed_report_with_its_pdf(laboratory):
    signed(laboratory)
    ctx = laboratory.ctx
    reports = ctx.settings.reports.model_copy(update={"pdf": True})
    ctx.settings = ctx.settings.model_copy(update={"reports": reports})
    assert report_study(ctx, laboratory.folder.path).failed == []
    folder = ctx.home / "reports" / STUDY
    page = (folder / "U1.html").read_text()
    text = pdf_text((folder / "U1.pdf").read_bytes())
    assert "Final, version 1" in page
    assert "Final, version 1" in text
    identity = report_id(laboratory_content(laboratory))
    assert identity in page
    assert identity in text


def laboratory_content(laboratory):
    from flows.released import newest_released
    from flows.versions import version_content

    with laboratory.store.reading() as session:
        from db.review import find_specimen

        row = find_specimen(session, STUDY, "U1")
        return version_content(newest_released(session, row.key))
