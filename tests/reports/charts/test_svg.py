from xml.etree import ElementTree

import pytest

from reports.charts.differential import RangeRow, fraction_chart, range_chart
from reports.charts.svg import Axis, Sheet, nice_ceiling, nice_step
from reports.content import ClassRow, Estimate, ReferenceRange
from reports.ranges import Standing


def test_an_axis_maps_and_clips():
    axis = Axis(0, 10, 100, 200)
    assert (axis(0), axis(5), axis(10), axis(99), axis(-1)) == (100, 150, 200, 200, 100)
    assert axis.ticks(5) == [0, 2, 4, 6, 8, 10]
    assert Axis(-5, 5, 200, 0).ticks(4) == [-5, -2.5, 0, 2.5, 5]


@pytest.mark.parametrize(
    ("rough", "step"), [(0.7, 1), (1.2, 2), (2.2, 2.5), (30, 50), (0.012, 0.02)]
)
def test_steps_are_round(rough, step):
    assert nice_step(rough) == pytest.approx(step)


def test_a_ceiling_holds_its_value():
    assert nice_ceiling(61.2) == 80
    assert nice_ceiling(0) == 0


def test_words_in_a_picture_are_escaped():
    sheet = Sheet(10, 10, "<b>")
    sheet.text(1, 1, "<script>", "start")
    assert "<script" not in sheet.markup()
    assert ElementTree.fromstring(sheet.markup()).get("aria-label") == "<b>"


def drawn(markup, kind):
    root = ElementTree.fromstring(markup)
    return [e for e in root.iter() if kind in (e.get("class") or "").split()]


def test_bars_are_as_long_as_their_fractions():
    rows = [ClassRow(n, 1, Estimate(f, f, f)) for n, f in (("a", 0.6), ("b", 0.3))]
    long, short = (float(bar.get("width")) for bar in drawn(fraction_chart(rows), "bar"))
    assert long == pytest.approx(2 * short, abs=0.1)


def test_bands_end_on_one_line_and_colour_follows_the_claim():
    rows = [
        RangeRow("a", Estimate(9000, 8000, 9900), ReferenceRange(1800, 7500), Standing.HIGH),
        RangeRow("b", Estimate(90, 10, 300), ReferenceRange(0, 100), Standing.CROSSES),
    ]
    picture = range_chart(rows)
    ends = {float(b.get("x")) + float(b.get("width")) for b in drawn(picture, "band")}
    assert max(ends) - min(ends) < 0.05
    assert [e.get("class") for e in drawn(picture, "point") if e.tag == "circle"] == [
        "point high",
        "point",
    ]
