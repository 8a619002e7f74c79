import re
from xml.etree import ElementTree

import pytest

from reports.charts.alone import _STYLE, label_of, standing_alone
from reports.charts.differential import fraction_chart
from tests.reports import samples
from tests.reports.test_pages import contrast

SVG = "{http://www.w3.org/2000/svg}"


def fill(kind):
    return re.search(rf"\.{kind} {{[^}}]*fill: (#[0-9a-f]{{6}})", _STYLE).group(1)


def test_a_chart_stands_alone_and_keeps_what_it_shows():
    chart = fraction_chart(samples.rows())
    root = ElementTree.fromstring(standing_alone(chart))
    assert root.tag == f"{SVG}svg"
    assert root.find(f"{SVG}style").text == _STYLE
    drawn = [e.get("class") for e in root.iter() if e.get("class")]
    assert drawn == [e.get("class") for e in ElementTree.fromstring(chart).iter() if e.get("class")]
    assert label_of(chart).startswith("Share of each class")


def test_every_kind_of_mark_is_styled():
    drawn = {
        kind
        for chart in (fraction_chart(samples.rows()),)
        for element in ElementTree.fromstring(chart).iter()
        for kind in (element.get("class") or "").split()
    } - {"chart", "differential", "name"}
    assert {kind for kind in drawn if f".{kind}" not in _STYLE} == set()


@pytest.mark.parametrize("kind", ["bar", "band"])
def test_marks_can_be_told_apart_in_grey(kind):
    # 3:1 is what WCAG 2.2 asks of graphics (1.4.11); contrast is of luminance, so it holds in grey.
    assert contrast("#000000", fill(kind)) >= 3
    assert contrast("#444444", fill(kind)) >= 3


def test_words_can_be_read():
    for colour in re.findall(r"(?:text|tick|axis)[^}]*fill: (#[0-9a-f]{6})", _STYLE):
        assert contrast(colour, "#ffffff") >= 4.5
