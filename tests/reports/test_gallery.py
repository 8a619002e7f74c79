from dataclasses import replace
from math import nan

import pytest

from cellcensus.settings import ReportSettings
from cellcensus.studyfolder import manifest
from reports.content import UNCLASSIFIED, GalleryClass
from reports.gallery import class_shelves, strange_shelf
from reports.paper import specimen_pdf
from reports.specimen import render_specimen
from reports.words import words
from tests.reports import samples
from tests.reports.reading import page_text, pdf_text

MEANING = {
    "en": "These cells look like none of the learned classes and were given none",
    "de": "Diese Zellen gleichen keiner der gelernten Klassen und bekamen keine",
}
HEADING = {"en": "Unclassified cells: {}", "de": "Nicht klassifizierte Zellen: {}"}
SOME = {"en": "14 of 20, from certain", "de": "14 von 20, von sicher"}


def both(content, language):
    """What stands on the page and on paper, lines joined."""
    settings = ReportSettings(language=language)
    texts = page_text(render_specimen(content, settings)), pdf_text(specimen_pdf(content, settings))
    return [" ".join(text.split()) for text in texts]


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_unclassified_have_a_shelf_after_the_classes(language):
    last = words(language).cell_class(samples.CLASSES[-1])
    for text in both(samples.specimen(unclassified=20), language):
        shelf = text.rindex(HEADING[language].format(20))
        assert shelf > text.rindex(f"{last} ", 0, shelf)
        assert MEANING[language] in text[shelf:]
        assert SOME[language] in text[shelf:]


@pytest.mark.parametrize("language", ["en", "de"])
def test_without_any_there_is_no_shelf(language):
    content = samples.specimen(unclassified=0, gallery=samples.class_shelves())
    for text in both(content, language):
        assert HEADING[language].format("") not in text
        assert MEANING[language] not in text


def test_each_of_them_has_words_for_those_who_do_not_see_it():
    page = render_specimen(samples.specimen())
    shelf = page[page.index("Unclassified cells") :]
    ids = [cell.cell_id for cell in samples.strange_shelf(14).uncertain]
    places = [shelf.index(f'alt="unclassified cell {number}"') for number in ids]
    assert places == sorted(places)
    assert "unclassified, cell" not in page


def test_where_all_are_shown_it_says_so():
    found = strange_shelf(samples.specimen(unclassified=14), words())
    assert found.label == "all, from certain to uncertain"
    assert strange_shelf(samples.specimen(unclassified=15), words()).label.startswith("14 of 15,")


def test_a_cell_that_a_person_put_there_has_no_probability():
    cell = replace(samples.cell_picture(3), probability=nan)
    shelf = GalleryClass(UNCLASSIFIED, uncertain=(cell,))
    page = render_specimen(samples.specimen(unclassified=1, gallery=(shelf,)))
    assert 'alt="unclassified cell 3"><span>–</span>' in page
    assert "Cells of each class" in page


def test_it_is_told_apart_from_the_classes():
    content = samples.specimen()
    assert class_shelves(content) == content.gallery[:-1]
    assert len(strange_shelf(content, words()).cells) == 14
    assert strange_shelf(samples.specimen(gallery=()), words()) is None


def test_no_study_can_name_a_class_so():
    assert UNCLASSIFIED in manifest._RESERVED
