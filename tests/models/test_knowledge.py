import pytest

from models.bag import Known
from models.knowledge import expected_shares, population_prior, purity_vector, read_target

CLASSES = ("a", "b", "c")


def test_all_parts_add_up_to_their_own_total():
    target = read_target(
        Known("mixed", wbc_per_ul=120, per_ul={"a": 50, "b": 30, "c": 20}), CLASSES
    )
    assert target.fraction == pytest.approx([0.5, 0.3, 0.2])


def test_some_parts_with_the_total():
    target = read_target(Known("mixed", wbc_per_ul=100, per_ul={"b": 30}), CLASSES)
    assert target.fraction[1] == pytest.approx(0.3)
    assert not target.known[0]
    assert not target.relative


def test_some_parts_without_the_total_are_relative():
    target = read_target(Known("mixed", per_ul={"a": 30, "b": 10}), CLASSES)
    assert target.relative
    assert target.fraction[:2] == pytest.approx([0.75, 0.25])


def test_percent_alone():
    target = read_target(Known("mixed", percent={"a": 60}), CLASSES)
    assert target.fraction[0] == pytest.approx(0.6)


@pytest.mark.parametrize(
    "known", [Known("mixed", wbc_per_ul=100), Known("mixed", per_ul={"a": 5}), Known("mixed")]
)
def test_what_says_nothing_of_the_composition(known):
    assert read_target(known, CLASSES) is None


def test_a_stated_cv_is_used():
    sure = read_target(Known("mixed", percent={"a": 60, "b": 40}, cv={"a": 0.01}), CLASSES)
    unsure = read_target(Known("mixed", percent={"a": 60, "b": 40}, cv={"a": 0.2}), CLASSES)
    assert unsure.sd[0] > 5 * sure.sd[0]


def test_missing_purity_is_assumed():
    vector = purity_vector(Known("purified", cell_class="b"), CLASSES)
    assert vector == pytest.approx([0.025, 0.95, 0.025])


def test_prior_ignores_what_is_unknown_and_has_a_floor():
    targets = [read_target(Known("mixed", percent={"a": 99, "b": 1, "c": 0}), CLASSES)]
    prior = population_prior(targets, 3, floor=0.02)
    assert prior.sum() == pytest.approx(1)
    assert prior.min() > 0.018


BLOOD = ("neutrophil", "lymphocyte", "basophil")


@pytest.mark.parametrize(
    ("known", "classes", "expected"),
    [
        ({"per_ul": {"neutrophil": 36}}, BLOOD, [0.36, 0.62, 0.02]),
        ({"per_ul": {"neutrophil": 60, "lymphocyte": 30}}, BLOOD, [0.6, 0.3, 0.1]),
        ({"per_ul": {"neutrophil": 50, "lymphocyte": 30, "basophil": 20}}, BLOOD, [0.5, 0.3, 0.2]),
        ({"per_ul": {"b": 40}}, CLASSES, [0.3, 0.4, 0.3]),
        ({"per_ul": {"neutrophil": 120}}, BLOOD, [1.0, 0.0, 0.0]),
    ],
)
def test_what_nobody_told_is_expected_as_in_adult_blood(known, classes, expected):
    target = read_target(Known("mixed", wbc_per_ul=100, **known), classes)
    assert expected_shares(target, classes) == pytest.approx(expected)


def test_what_nobody_told_beside_shares_without_a_total():
    target = read_target(Known("mixed", per_ul={"neutrophil": 75, "lymphocyte": 25}), BLOOD)
    found = expected_shares(target, BLOOD)
    assert found.sum() == pytest.approx(1)
    assert found[0] / found[1] == pytest.approx(3)
    assert found[2] == pytest.approx(0.01 / 0.89)
