import io
import re
from dataclasses import replace
from itertools import product
from math import nan
from time import perf_counter

import pypdf
import pytest

from cellcensus.settings import ReportSettings
from reports.content import Estimate, Signature, Status
from reports.identity import report_id
from reports.paper import specimen_pdf, study_pdf
from reports.specimen import render_specimen
from reports.study import render_study
from tests.reports import samples
from tests.reports.reading import numbers_in, page_text, pdf_pages, pdf_text

LANGUAGES = ("en", "de")
PAPERS = {"A4": (595, 842), "Letter": (612, 792)}
HOSTILE = '*bold* #panic("x") $x$ @nowhere <script> \\ "]'

KINDS = {
    "specimen": (samples.specimen, render_specimen, specimen_pdf),
    "study": (samples.study, render_study, study_pdf),
}


def reader(pdf):
    return pypdf.PdfReader(io.BytesIO(pdf))


def sure(content):
    """The same specimen without any interval."""
    rows = tuple(
        replace(row, fraction=Estimate(row.fraction.value), per_ul=Estimate(row.per_ul.value))
        for row in content.rows
    )
    return replace(content, rows=rows)


VARIANTS = {
    "as it is": lambda content: content,
    "a child": lambda content: replace(content, donor_age_years=9),
    "held out": lambda content: replace(content, held_out=True),
    "no intervals": sure,
    "no volume": lambda content: replace(
        content, total_per_ul=Estimate(), imaged_volume_ul=None, dilution=None
    ),
    "nothing predicted": lambda content: replace(
        content, rows=(), gallery=(), model=None, flags=()
    ),
    "some of the strange": lambda content: replace(content, unclassified=12345),
    "nothing strange": lambda content: replace(
        content, unclassified=0, gallery=samples.class_shelves()
    ),
    "nothing seen": lambda content: replace(
        content, preview=None, quality={}, findings=(), gallery=()
    ),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_page_and_paper_give_the_same_numbers(variant, language):
    content, settings = VARIANTS[variant](samples.specimen()), ReportSettings(language=language)
    on_paper = numbers_in(pdf_text(specimen_pdf(content, settings)))
    assert len(on_paper) > 10
    assert on_paper == numbers_in(page_text(render_specimen(content, settings)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_and_paper_of_a_study_give_the_same_numbers(language):
    settings = ReportSettings(language=language)
    on_paper = numbers_in(pdf_text(study_pdf(samples.study(), settings)))
    assert len(on_paper) > 200
    assert on_paper == numbers_in(page_text(render_study(samples.study(), settings)))


@pytest.mark.parametrize(("kind", "language"), product(KINDS, LANGUAGES))
def test_page_and_paper_have_one_identity(kind, language):
    make, render, draw = KINDS[kind]
    content, settings = make(), ReportSettings(language=language)
    identity = report_id(content)
    assert identity in page_text(render(content, settings))
    pages = pdf_pages(draw(content, settings))
    assert all(identity in page for page in pages)


@pytest.mark.parametrize(("kind", "paper"), product(KINDS, PAPERS))
def test_every_page_is_numbered_and_says_how_far_the_report_has_come(kind, paper):
    make, _, draw = KINDS[kind]
    pdf = draw(make(), ReportSettings(paper=paper))
    pages = pdf_pages(pdf)
    for number, (text, page) in enumerate(zip(pages, reader(pdf).pages, strict=True), start=1):
        assert f"Page {number} of {len(pages)}" in text
        assert "preliminary" in text
        assert "Research use only" in text
        assert "Haematology, Example Hospital" in text
        width, height = PAPERS[paper]
        assert float(page.mediabox.width) == pytest.approx(width, abs=1)
        assert float(page.mediabox.height) == pytest.approx(height, abs=1)


@pytest.mark.parametrize(("language", "paper"), product(LANGUAGES, PAPERS))
@pytest.mark.parametrize("strange", [0, 14, 16])
def test_five_classes_need_two_pages(strange, language, paper):
    shelf = (samples.strange_shelf(strange),) if strange else ()
    crowded = samples.specimen(
        gallery=(*samples.class_shelves(), *shelf),
        unclassified=37,
        flags=("few_cells", "unclassified_over_5_percent", "methods_disagree", "held_out"),
        quality=dict.fromkeys(samples.all_figures(), 12.34),
    )
    assert (
        len(pdf_pages(specimen_pdf(crowded, ReportSettings(language=language, paper=paper)))) <= 2
    )


def test_the_same_content_gives_the_same_bytes():
    assert specimen_pdf(samples.specimen()) == specimen_pdf(samples.specimen())
    assert study_pdf(samples.study()) == study_pdf(samples.study())


@pytest.mark.parametrize(("kind", "language"), product(KINDS, LANGUAGES))
def test_a_screen_reader_is_told_title_language_and_pictures(kind, language):
    make, _, draw = KINDS[kind]
    pdf = draw(make(), ReportSettings(language=language))
    root = reader(pdf).trailer["/Root"]
    assert root["/Lang"].startswith(language)
    assert root["/MarkInfo"]["/Marked"]
    assert make().study in reader(pdf).metadata.title or "U039" in reader(pdf).metadata.title
    named = {"specimen": 2 + 1 + 80 + 14, "study": 2 * len(samples.CLASSES) + 1}[kind]
    assert count_of(root["/StructTreeRoot"], "/Figure") >= named


def count_of(element, kind):
    """Elements of a kind in the tree of a tagged PDF."""
    element = element.get_object()
    if isinstance(element, list):
        return sum(count_of(child, kind) for child in element)
    if not isinstance(element, dict):
        return 0
    own = element.get("/S") == kind and bool(element.get("/Alt"))
    return own + (count_of(element["/K"], kind) if "/K" in element else 0)


@pytest.mark.parametrize("field", ["specimen_id", "study", "laboratory", "method", "instrument_id"])
def test_hostile_text_is_only_text(field):
    content = samples.specimen(**{field: HOSTILE, "flags": (HOSTILE,)})
    text = re.sub(r"\s+", " ", pdf_text(specimen_pdf(content)))
    assert HOSTILE in text.replace("\u200b", "")


def test_signatures_and_what_is_replaced_are_on_the_page():
    signed = samples.specimen(
        status=Status.CORRECTED,
        version=3,
        replaces="R-0123456789ab",
        signature=Signature("A. Reviewer", "released", samples.MOMENT, "00"),
        earlier_signatures=(Signature("T. Technician", "reviewed", samples.MOMENT, "00"),),
    )
    text = pdf_text(specimen_pdf(signed))
    assert "Corrected, version 3" in text
    assert "Replaces R-0123456789ab" in text
    assert "T. Technician: reviewed" in text
    assert "A. Reviewer: released" in text
    assert "unsigned" not in text
    assert "corrected, version 3" in pdf_pages(specimen_pdf(signed))[-1]


def test_a_signature_without_release_stays_preliminary():
    signed = samples.specimen(signature=Signature("A", "reviewed", samples.MOMENT, "00"))
    for text in (pdf_text(specimen_pdf(signed)), page_text(render_specimen(signed))):
        assert "Preliminary: signed, not yet released" in text


def test_what_cannot_be_said_is_not_zero_on_paper():
    rows = tuple(replace(row, per_ul=Estimate()) for row in samples.rows())
    text = pdf_text(specimen_pdf(samples.specimen(rows=rows, total_per_ul=Estimate(nan))))
    assert "Concentrations cannot be said" in text
    assert "nan" not in text.split()


def test_many_classes_and_many_specimens_are_drawn():
    names = tuple(f"class {i}" for i in range(9))
    lines = tuple(
        replace(line, fractions=dict.fromkeys(names, 1 / 9), specimen_id=f"X{i:03}")
        for i, line in enumerate(samples.study().specimens * 5)
    )
    text = pdf_text(study_pdf(samples.study(classes=names, specimens=lines, pairs=())))
    assert "X119" in text


def test_a_specimen_is_drawn_in_under_a_second():
    specimen_pdf(samples.specimen())  # fonts are read once
    begun = perf_counter()
    specimen_pdf(samples.specimen())
    assert perf_counter() - begun < 1


def marks(text):
    return [text.count(word) for word in ("▲", "▼", "crosses the limit", "below quantification")]


def test_page_and_paper_claim_the_same():
    content = samples.specimen()
    on_page = page_text(render_specimen(content))
    on_paper = pdf_text(specimen_pdf(content))
    assert marks(on_paper) == marks(on_page) == [1, 0, 3, 1]


def test_the_young_get_no_adult_range_on_paper():
    text = pdf_text(specimen_pdf(samples.specimen(donor_age_years=9)))
    assert marks(text)[:3] == [0, 0, 0]
    assert "too young for adult reference ranges" in text
    assert "multiples of the upper limit" not in text
