"""Westgard's rules on sequences whose verdict is known."""

import numpy as np
import pytest

from reports.control import (
    FIRST,
    RULES,
    Target,
    distances,
    first_values,
    known_value,
    moving_average,
    westgard,
)

nan = float("nan")


def told(z):
    return [verdict.rules for verdict in westgard(z)]


@pytest.mark.parametrize(
    ("z", "last"),
    [
        ([0, 0.5, -1.9], ()),
        ([0.1, 2.3], ("1-2s",)),
        ([0.1, -2.3], ("1-2s",)),
        ([0.1, 3.2], ("1-3s",)),
        ([0.1, -3.2], ("1-3s",)),
        ([2.1, 2.2], ("2-2s",)),
        ([-2.1, -2.2], ("2-2s",)),
        ([2.1, 1.9], ()),  # the second one is inside: nothing new is broken
        ([2.1, -2.1], ("R-4s",)),
        ([-2.1, 2.1], ("R-4s",)),
        ([1.9, -2.2], ("1-2s",)),  # 4.1 apart, but one of them inside 2 SD: not Westgard's R-4s
        ([1.1, 1.2, 1.3, 1.1], ("4-1s",)),
        ([1.1, 1.2, -1.3, 1.1], ()),
        ([-1.1, -1.2, -1.3, -1.1], ("4-1s",)),
        ([0.1] * 10, ("10x",)),
        ([0.1] * 9, ()),
        ([-0.1] * 10, ("10x",)),
        ([0.1] * 5 + [-0.1] + [0.1] * 9, ()),
        ([0.5] * 8 + [2.1, 2.4], ("2-2s", "10x")),
        ([3.1, 3.2], ("1-3s", "2-2s")),
        ([2.0], ()),  # on the line is inside
        ([3.0], ("1-2s",)),
        ([0.0] * 12, ()),  # on the mean is on no side
    ],
)
def test_the_rules_at_the_last_value(z, last):
    assert told(z)[-1] == last


def test_a_day_by_day_example():
    # A control that is fine, wobbles once, then shifts up by two and a half SD and stays.
    z = [0.3, -0.8, 1.1, 2.2, -0.4, 0.2, 2.4, 2.6, 1.5, 1.7]
    assert told(z) == [
        *[()] * 3,
        ("1-2s",),
        *[()] * 2,
        ("1-2s",),
        ("2-2s",),
        (),
        ("4-1s",),
    ]
    rejected = [verdict.rejected for verdict in westgard(z)]
    assert rejected == [False] * 7 + [True, False, True]


def test_what_cannot_be_said_is_not_judged_and_breaks_no_row():
    assert told([2.1, nan, 2.2]) == [("1-2s",), (), ("2-2s",)]


def test_every_rule_says_what_to_do():
    assert set(RULES) == {"1-2s", "1-3s", "2-2s", "R-4s", "4-1s", "10x"}
    assert all(
        len(rule.action.split()) > 4 and rule.action.endswith((".", "?")) for rule in RULES.values()
    )
    assert [rule.code for rule in RULES.values() if not rule.rejects] == ["1-2s"]


def test_alarms_by_chance_are_as_rare_as_they_should_be():
    # Two normal values in a hundred thousand are beyond 3 SD 270 times; beyond 2 SD 4,550 times.
    z = np.random.default_rng(1).normal(size=100_000)
    rules = [code for broken in told(list(z)) for code in broken]
    assert 220 < rules.count("1-3s") < 320
    assert 80 < rules.count("2-2s") < 130  # 2 × 0.02275² = 0.00104


def test_the_target_is_of_the_first_values_in_control():
    values = [10, 11, 9, 10, 10.5, 9.5, 60, 10, 10, 11, 9, 10, 10, 10, 9, 11, 10, 10, 9.5, 10.5]
    found = first_values([*values, 99, 99])
    kept = [v for v in values if v != 60]
    assert found.mean == pytest.approx(np.mean(kept))
    assert found.sd == pytest.approx(np.std(kept, ddof=1))
    assert found.source == "mean and SD of the first 19 values in control (1 left out)"


def test_few_values_make_no_target_or_a_provisional_one():
    assert first_values([1, 2, nan, 3, 4]) is None
    assert "provisional" in first_values([1, 2, 3, 2, 1]).source
    assert "provisional" not in first_values([1, 2] * FIRST).source


def test_a_known_composition_is_the_centre():
    few = known_value([1.0, -2.0], 0.0, [1.5, 2.5, nan])
    assert (few.mean, few.sd) == (0.0, 2.0)
    assert "own intervals" in few.source
    many = known_value([1, 2, 3, 2, 1, 2], 0.0, [9] * 6)
    assert many.mean == 0
    assert many.sd == pytest.approx(np.std([1, 2, 3, 2, 1, 2], ddof=1))
    assert known_value([], 0.0, []) is None


def test_distances():
    assert distances([12, 8, 10], Target(10, 2, "")) == [1, -1, 0]
    assert np.isnan(distances([1.0], Target(1, 0, ""))).all()


def test_the_moving_average_by_hand():
    # λ = 0.2: 0.2·15 + 0.8·10 = 11, then 0.2·15 + 0.8·11 = 11.8; first limit 3·2·0.2.
    found = moving_average([15, 15, nan], Target(10, 2, ""))
    assert [round(m.average, 6) for m in found] == [11, 11.8, 11.8]
    assert found[0].high == pytest.approx(11.2)
    assert [m.out for m in found] == [False, True, True]


def test_the_moving_average_finds_a_small_shift_that_no_single_value_shows():
    random = np.random.default_rng(4)
    values = [*random.normal(10, 1, 40), *random.normal(11.5, 1, 20)]
    found = moving_average(values, Target(10, 1, ""))
    assert not any(m.out for m in found[:40])
    assert any(m.out for m in found[40:])


def test_false_alarms_of_a_target_from_twenty_values_are_few():
    random = np.random.default_rng(5)
    out = 0
    for _ in range(400):
        values = list(random.normal(size=60))
        out += westgard(distances(values, first_values(values)))[-1].rejected
    assert out / 400 < 0.05
