import pytest
from sqlalchemy import select

from db.tables import Report
from flows.papers import specimen_paper, study_paper
from flows.report import report_study
from flows.run import run_study
from tests.reports.reading import pdf_text


@pytest.fixture
def made(opened, calls, study):
    """A study that was run with HTML alone; ``made(pdf=True)`` reports it with other settings."""
    run_study(opened(), study.path)

    def again(**reports):
        ctx = opened(reports=reports)
        return ctx, report_study(ctx, study.path)

    return again


@pytest.fixture
def folder(home):
    return home / "reports" / "made-up"


def names(folder, suffix):
    return sorted(file.stem for file in folder.glob(f"*{suffix}"))


def test_pdfs_are_written_beside_the_pages_where_they_are_wanted(made, folder):
    assert names(folder, ".pdf") == []
    _, outcome = made(pdf=True)
    assert outcome.done == 6
    assert names(folder, ".pdf") == names(folder, ".html")
    assert "index" in names(folder, ".pdf")
    _, outcome = made(pdf=True)
    assert outcome.done == 0


def test_another_language_makes_the_reports_again(made, folder):
    _, outcome = made(pdf=True, language="de")
    assert outcome.done == 6
    assert '<html lang="de">' in (folder / "U1.html").read_text()
    assert "Ergebnis" in pdf_text((folder / "U1.pdf").read_bytes())
    assert "STUDIENBERICHT" in pdf_text((folder / "index.pdf").read_bytes())


def test_a_pdf_that_is_gone_is_made_again(made, folder):
    made(pdf=True)
    (folder / "U1.pdf").unlink()
    _, outcome = made(pdf=True)
    assert outcome.done == 1
    assert (folder / "U1.pdf").is_file()


def test_a_pdf_that_does_not_belong_to_the_page_is_removed(made, folder):
    made(pdf=True)
    made(pdf=False)
    assert names(folder, ".pdf") == []


def test_what_was_written_is_served_and_what_was_altered_is_drawn(made, folder):
    ctx, _ = made(pdf=True)
    file = folder / "U1.pdf"
    written = file.read_bytes()
    with ctx.store.reading() as session:
        assert specimen_paper(session, ctx.settings, "made-up", "U1") == written
        file.write_bytes(written + b"%")
        drawn = specimen_paper(session, ctx.settings, "made-up", "U1")
        row = session.scalar(select(Report).where(Report.current, Report.path.contains("U1")))
    assert row.recipe["pdf_sha256"]
    assert drawn.startswith(b"%PDF")
    assert not drawn.endswith(b"%")


def test_without_a_file_the_paper_is_drawn_in_any_language(made):
    ctx, _ = made()
    with ctx.store.reading() as session:
        specimen = specimen_paper(session, ctx.settings, "made-up", "U1", "de")
        study = study_paper(session, ctx.settings, "made-up", "de")
        assert specimen_paper(session, ctx.settings, "made-up", "nobody") is None
    assert "Ergebnis" in pdf_text(specimen)
    assert "STUDIENBERICHT" in pdf_text(study)
