import re
from dataclasses import replace
from html.parser import HTMLParser
from math import nan

import pytest

from cellcensus.settings import RangeSettings, ReportSettings
from reports.content import ClassRow, Estimate, Signature, Status
from reports.specimen import render_specimen
from tests.reports import samples

VOID = {"meta", "img", "br", "link"}


class Reader(HTMLParser):
    """Balanced tags, every address, every alternative text, and the cells of the differential."""

    def __init__(self, page):
        super().__init__()
        self.open, self.addresses, self.pictures, self.cells = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.addresses += [values[name] for name in ("src", "href") if name in values]
        if tag == "img":
            self.pictures.append(values.get("alt"))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def words(page):
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<style>.*?</style>", "", page)).split())


def row_of(page, name):
    found = re.search(rf'<tr class="[^"]*"><th scope="row">{name}</th>.*?</tr>', page)
    return found.group(0)


def test_one_file_with_nothing_beside_it():
    reader = Reader(render_specimen(samples.specimen()))
    assert reader.open == []
    assert all(address.startswith("data:image/") for address in reader.addresses)
    assert all(reader.pictures)
    assert len(reader.pictures) == 1 + 16 * len(samples.CLASSES) + 14


def test_no_inline_style_attribute_and_no_script():
    page = render_specimen(samples.specimen())
    assert not re.search(r"\sstyle=|<script|\son\w+=", page)


def test_percentages_add_to_a_hundred():
    thirds = tuple(ClassRow(n, 1, Estimate(1 / 3, 0.2, 0.5)) for n in ("a", "b", "c"))
    page = render_specimen(samples.specimen(rows=thirds))
    shown = [re.search(r'data-label="%">([\d.]+)<', row_of(page, n)).group(1) for n in "abc"]
    assert sorted(shown) == ["33.3", "33.3", "33.4"]


def test_colour_only_where_the_whole_interval_is_beyond_the_limit():
    page = render_specimen(samples.specimen())
    assert 'class="high"' in row_of(page, "White cells")
    eosinophils = row_of(page, "eosinophil")  # 531 (405 to 686) against 500
    assert 'class=""' in eosinophils
    assert "crosses the limit" in eosinophils
    assert "below quantification" in row_of(page, "basophil")
    assert "below quantification" not in row_of(page, "neutrophil")


def test_ranges_follow_the_settings():
    settings = ReportSettings(reference_ranges={"neutrophil": RangeSettings(low=7.0, high=9.0)})
    assert 'class="low"' in row_of(render_specimen(samples.specimen(), settings), "neutrophil")


def test_the_young_get_no_adult_ranges():
    page = render_specimen(samples.specimen(donor_age_years=9))
    assert "too young for adult reference ranges" in page
    assert 'class="high"' not in page


def test_what_cannot_be_said_is_not_zero():
    rows = tuple(replace(row, per_ul=Estimate()) for row in samples.rows())
    content = samples.specimen(rows=rows, total_per_ul=Estimate(), imaged_volume_ul=None)
    page = render_specimen(content)
    assert 'data-label="per µL">–<' in row_of(page, "neutrophil")
    assert "Concentrations cannot be said" in page
    assert "nan" not in words(page)


def test_flags_are_words_with_an_action_and_a_hold_is_first():
    flags = ("few_cells", "hold_unclassified_over_15_percent", "out_of_this_world")
    text = words(render_specimen(samples.specimen(flags=flags)))
    assert text.index("Do not release") < text.index("Few cells")
    assert "Out of this world" in text
    assert "Hold: do not use these values" in text


def test_unsigned_is_said_and_a_signature_replaces_it():
    assert "unsigned draft" in words(render_specimen(samples.specimen()))
    signature = Signature("A. Reviewer", "reviewed and released", samples.MOMENT, "00")
    signed = render_specimen(samples.specimen(status=Status.FINAL, signature=signature, version=2))
    assert "unsigned" not in words(signed)
    assert "preliminary" not in signed.split("</style>")[0].rsplit("@page", 1)[1]
    assert "Final, version 2" in signed


def test_identity_and_limits_are_on_every_report():
    text = words(render_specimen(samples.specimen()))
    for part in (samples.MODEL.model_id, samples.MODEL.sha256, "ingest-1-3f2a90c4d1e8", "0.1.0"):
        assert part in text
    assert "Not for diagnosis" in text


def test_a_specimen_without_prediction_has_a_report_too():
    page = render_specimen(
        samples.specimen(
            rows=(), gallery=(), quality={}, preview=None, flags=(), findings=(), model=None
        )
    )
    assert Reader(page).open == []
    assert "No composition has been predicted" in page


HOSTILE = '<script>alert("x")</script>'


@pytest.mark.parametrize("field", ["specimen_id", "donor_id", "study", "laboratory", "method"])
def test_hostile_text_is_only_text(field):
    page = render_specimen(samples.specimen(**{field: HOSTILE, "flags": (HOSTILE,)}))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_name_cannot_leave_the_style_sheet():
    page = render_specimen(samples.specimen(specimen_id='"} body { display: none } </style>'))
    style = re.search(r"(?s)<style>(.*?)</style>", page).group(1)
    assert "display: none }" not in style.rsplit("@page", 1)[1]
    assert page.count("</style>") == 1


def test_the_same_content_gives_the_same_page():
    assert render_specimen(samples.specimen()) == render_specimen(samples.specimen())


def test_classes_without_ranges_and_missing_intervals_are_drawn():
    rows = (ClassRow("blast", 3, Estimate(1.0, nan, nan), Estimate(40.0, nan, nan)),)
    page = render_specimen(samples.specimen(rows=rows))
    assert 'data-label="usual, per µL">–<' in row_of(page, "blast")
