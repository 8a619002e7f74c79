import numpy as np
import pytest

from reports.comparison import PER_UL, PERCENT, coefficient, compare
from reports.content import Estimate, Pair
from tests.reports.test_agreement import MINI, WRIGHT

nan = float("nan")


def pairs(predicted, reference, cell_class="a", width=0.02):
    return [
        Pair(
            f"S{i}",
            f"D{i}",
            cell_class,
            Estimate(p, p - width, p + width),
            r,
            Estimate(6000 * p, 5000 * p, 7000 * p),
            6000 * r,
        )
        for i, (p, r) in enumerate(zip(predicted, reference, strict=True))
    ]


def test_the_published_example_in_percent():
    found = compare("a", pairs(np.array(WRIGHT) / 1000, np.array(MINI) / 1000))
    assert (found.n, found.donors) == (17, 17)
    assert found.differences.bias.value == pytest.approx(-0.21, abs=0.005)
    assert found.shown(found.differences.bias, plus=True) == ("−0.2", "−2.2 to +1.8")
    # Altman's data have r = 0.943; concordance is a little less.
    assert found.concordance.value == pytest.approx(0.943, abs=0.01)
    assert "Neither a constant nor a proportional" in found.verdict()
    assert found.regression_picture.count("<circle") == 17


def test_a_proportional_and_a_constant_difference_are_told():
    reference = np.linspace(0.05, 0.6, 40)
    twice = compare("a", pairs(2 * reference - 0.04, reference))
    assert twice.verdict() == "There is a constant difference and a proportional difference."
    assert coefficient(twice.passing_bablok.slope)[0] == "2.00"
    assert twice.inside.value < 0.3


def test_concentrations_are_compared_in_their_own_unit():
    found = compare("a", pairs([0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.35]), PER_UL)
    assert found.largest_error == pytest.approx(300)
    assert "cells/µL" in str(found.differences_picture)


def test_what_cannot_be_said_is_left_out_and_few_say_nothing():
    found = compare("a", [*pairs([0.1, nan], [0.1, 0.2]), *pairs([0.3], [0.2], "b")])
    assert found.n == 1
    assert found.verdict() == "Too few specimens to say anything."
    assert coefficient(found.concordance) == ("–", "")
    assert compare("c", []).n == 0


def test_an_interval_without_an_end_shows_no_difference():
    rare = compare("a", pairs([0.001, 0.02, 0.0, 0.03], [0.01, 0.011, 0.0105, 0.0102]), PERCENT)
    assert "There is" not in rare.verdict()
