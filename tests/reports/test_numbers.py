from math import isnan, nan

from hypothesis import given
from hypothesis import strategies as st

from reports import numbers


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12).filter(lambda v: sum(v) > 1e-3))
def test_percentages_add_to_a_hundred_and_stay_near(fractions):
    shown = numbers.percentages(fractions)
    assert round(10 * sum(shown)) == 1000
    for value, fraction in zip(shown, fractions, strict=True):
        assert abs(value - 100 * fraction / sum(fractions)) < 0.1 + 1e-6


def test_the_largest_remainder_gets_the_missing_tenth():
    assert numbers.percentages([1 / 3, 1 / 3, 1 / 3]) == [33.4, 33.3, 33.3]
    assert numbers.percentages([0.58140, 0.41827, 0.00033]) == [58.2, 41.8, 0.0]


def test_what_cannot_be_said_is_not_rounded():
    assert all(isnan(value) for value in numbers.percentages([0.5, nan]))
    assert numbers.per_ul(nan) == numbers.percent(nan) == numbers.number(None) == "–"


def test_numbers_for_people():
    assert numbers.per_ul(12344) == "12\u202f340"
    assert numbers.per_ul(412.6) == "413"
    assert numbers.signed(-0.04) == "0.0"
    assert numbers.signed(-1.25) == "−1.2"
    assert numbers.signed(0.3) == "+0.3"
    assert numbers.significant(0.04211) == "0.0421"
    assert numbers.significant(None) == "–"
