import re

import pytest

from reports.content import Estimate, Pair
from reports.study import agree, of_class, render_study
from tests.reports import samples
from tests.reports.test_specimen import Reader, words


def test_one_file_whose_links_stay_beside_it():
    reader = Reader(render_study(samples.study()))
    assert reader.open == []
    links = {address for address in reader.addresses if not address.startswith("data:image/png")}
    assert links == {f"M{i:03}.html" for i in range(24)}


def test_every_class_has_its_figures_and_both_charts():
    page = render_study(samples.study())
    assert page.count('class="chart scatter"') == len(samples.CLASSES)
    assert page.count('class="chart differences"') == len(samples.CLASSES)
    text = words(page)
    for word in ("Passing–Bablok", "Deming", "Bland–Altman", "CCC", "limits of agreement"):
        assert word in text


def test_figures_of_a_class_by_hand():
    values = [(0.10, 0.12), (0.20, 0.19), (0.30, 0.33), (0.40, 0.40)]
    pairs = [
        Pair(f"S{i}", f"D{i}", "a", Estimate(p, p - 0.025, p + 0.025), q)
        for i, (p, q) in enumerate(values)
    ]
    found = agree("a", pairs)
    assert found.n == 4
    assert found.mean_error == "1.5"  # points: 2, 1, 3, 0
    assert found.largest_error == "3.0"
    assert found.bias[0] == "−1.0"
    assert found.coverage[0] == "3 of 4"


def test_pairs_that_cannot_be_compared_are_left_out():
    nan = float("nan")
    pairs = [Pair("a", "a", "x", Estimate(), 0.5), Pair("b", "b", "x", Estimate(0.5), nan)]
    assert of_class(pairs, "x") == []


def test_the_worst_class_is_named():
    pairs = tuple(
        Pair(f"S{i}", f"D{i}", name, Estimate(0.5, 0.4, 0.6), 0.5 + gap)
        for i in range(5)
        for name, gap in (("neutrophil", 0.01), ("monocyte", 0.04))
    )
    text = words(render_study(samples.study(pairs=pairs)))
    assert "Worst class: monocyte , mean error 4.0 percentage points over 5 donors" in text


@pytest.mark.parametrize("missing", ["pairs", "controls", "quarantined", "specimens", "findings"])
def test_what_is_missing_leaves_no_hole(missing):
    page = render_study(samples.study(**{missing: ()}))
    assert Reader(page).open == []
    assert "nan" not in words(page)


def test_an_empty_study_has_a_report():
    text = words(
        render_study(
            samples.study(
                pairs=(),
                controls=(),
                quarantined=(),
                specimens=(),
                findings=(),
                learning=(),
                learning_curve=(),
                model=None,
            )
        )
    )
    assert "No mixed specimen has both" in text


def test_quarantine_says_why_and_what_to_do():
    text = words(render_study(samples.study()))
    assert re.search(r"M099 M099.avi The file has 0 bytes. empty_file Copy it again.", text)


def test_two_pairs_are_shown_without_a_claim():
    page = render_study(samples.study(pairs=samples.pairs(2)))
    assert "2" in words(page)
    assert Reader(page).open == []


def test_influential_cells_are_shown_with_what_they_do():
    text = words(render_study(samples.study()))
    assert "most typical" in text
    assert "most influential +0.40" in text
    assert "\u22120.12" in text
    assert "Cells of each class, over" not in words(render_study(samples.study(examples=())))


def test_the_recovery_of_each_instrument_is_said_with_its_limits():
    text = words(render_study(samples.study()))
    assert "Recovery of bench-1: 0.91 cells counted" in text
    assert "limits 0.87 to 0.95" in text
    assert "all instruments" not in text
    alone = samples.study(recoveries={"": Estimate(0.9, 0.8, 1.0)})
    assert "Recovery of all instruments: 0.90" in words(render_study(alone))
