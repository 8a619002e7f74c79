import numpy as np
import pytest

from models.embedding import make_lens
from models.planner import HeldOutErrors, Lessons, guarantee, learning_curve, make_plan

CLASSES = ("a", "b", "c")


def lessons(donors, donor_effect, rng):
    """Cells of three classes in nine numbers; each donor's look is a little off."""
    middle = np.zeros((3, 9))
    middle[1, 3], middle[2, 7] = 1.5, 1.5

    def cells(shares, look):
        kinds = rng.choice(3, size=300, p=shares)
        return middle[kinds] + rng.normal(0, 0.7, (300, 9)) + look

    lens = make_lens(cells((1 / 3,) * 3, 0))
    shares = rng.dirichlet((5, 3, 2), donors)
    looks = rng.normal(0, donor_effect, (donors, 9))
    features = [
        lens.mean(cells(p, look), np.zeros(2)) for p, look in zip(shares, looks, strict=True)
    ]
    pure = [lens.mean(cells(row, 0.8), np.zeros(2)) for row in np.repeat(np.eye(3), 2, axis=0)]
    nothing = np.zeros((donors, 1))
    return Lessons(
        lens,
        np.array(features),
        np.hstack([shares, nothing]),
        shares,
        np.arange(donors),
        np.array(pure),
        np.hstack([np.repeat(np.eye(3), 2, axis=0), np.zeros((6, 1))]),
        np.full(6, 0.3),
    )


def errors(donors, rng, size=0.03):
    known = rng.dirichlet((5, 3, 2), donors)
    found = np.abs(known + rng.normal(0, size, known.shape))
    sd = np.full(known.shape, 0.005)
    return HeldOutErrors(CLASSES, found, known, sd, np.full(donors, 400.0))


def test_more_donors_err_less_along_the_curve():
    rng = np.random.default_rng(0)
    curve = learning_curve(lessons(24, 0.05, rng))
    assert curve.points[0][1] > curve.points[-1][1]
    assert curve.at(5) > curve.at(50) >= curve.floor
    assert all(low <= error <= high for _m, error, low, high in curve.points)


def test_a_plan_says_what_each_change_brings():
    rng = np.random.default_rng(1)
    plan = make_plan(errors(24, rng), lessons(24, 0.05, rng), 24)
    now = plan["expected"]["now"]
    assert all(a < b for a, b in zip(plan["expected"]["24 more donors"], now, strict=True))
    assert all(a < b for a, b in zip(plan["expected"]["five times the cells"], now, strict=True))
    assert "twice the purified specimens" in plan["expected"]
    # The curve stands at the height of the networks' errors, not at the embedding's.
    assert plan["curve"][-1][1] == pytest.approx(np.mean(now), rel=0.35)


def test_the_wanted_donor_is_rich_in_the_class_that_errs_most():
    rng = np.random.default_rng(2)
    found = errors(24, rng, 0.005)
    found.found[:, 2] += rng.normal(0, 0.1, 24)
    wanted = make_plan(found, lessons(24, 0.05, rng), 24)["wanted"]
    assert wanted["cell_class"] == "c"
    assert wanted["share"] > wanted["largest_so_far"] * 0.99


def test_few_donors_are_said_to_be_too_few():
    rng = np.random.default_rng(3)
    plan = make_plan(errors(4, rng), lessons(4, 0.1, rng), 4)
    assert "too few" in plan["said"]
    assert "80 %" in plan["guarantee"]


@pytest.mark.parametrize(("donors", "word"), [(0, "No mixed"), (10, "9 more"), (24, "96 %")])
def test_the_guarantee_names_what_donors_allow(donors, word):
    assert word in guarantee(donors)
