import pytest

from cellcensus.settings import GateSettings
from flows.gate import Score, Trial, judge

SETTINGS = GateSettings(fewest_donors=5, margin_points=1.0, class_margin_points=0.5)


def _pairs(candidate, champion, number=8):
    return [
        Trial(
            f"D{i}",
            Score({"a": candidate[0] + 0.1 * i, "b": candidate[1]}),
            Score({"a": champion[0] + 0.1 * i, "b": champion[1]}),
        )
        for i in range(number)
    ]


def test_equal_is_good_enough():
    verdict = judge(_pairs((3, 2), (3, 2)), ("a", "b"), SETTINGS)
    assert verdict.accepted
    assert verdict.figures["overall"]["change"] == 0


def test_the_change_is_the_paired_mean_with_its_t_interval():
    pairs = [
        Trial(f"D{i}", Score({"a": 2.0 + d}), Score({"a": 2.0}))
        for i, d in enumerate((1, 2, 3, 4, 5))
    ]
    found = judge(pairs, ("a",), SETTINGS).figures["overall"]
    assert found["change"] == pytest.approx(3)
    assert (found["low"], found["high"]) == pytest.approx((3 - 1.9632, 3 + 1.9632), abs=1e-3)


def test_one_class_worse_is_refused_though_the_mean_is_not():
    verdict = judge(_pairs((1, 4), (4, 1)), ("a", "b"), SETTINGS)
    assert not verdict.accepted
    assert [reason.split(":")[0] for reason in verdict.reasons] == ["b"]


def test_uncertainty_counts_against_the_candidate():
    pairs = [
        Trial(f"D{i}", Score({"a": 2.0 + change}), Score({"a": 2.0}))
        for i, change in enumerate((-9, 9, -8, 8, -7, 7))
    ]
    verdict = judge(pairs, ("a",), SETTINGS)
    assert not verdict.accepted
    assert "mean over classes" in verdict.reasons[0]


def test_a_donor_with_many_specimens_counts_once():
    pairs = [Trial("D0", Score({"a": 9.0}), Score({"a": 2.0}))] * 50
    pairs += [Trial(f"D{i}", Score({"a": 1.0}), Score({"a": 2.0})) for i in range(1, 9)]
    found = judge(pairs, ("a",), SETTINGS).figures["overall"]
    assert found["change"] == pytest.approx((7 - 8) / 9)


def test_too_few_donors():
    verdict = judge(_pairs((1, 1), (9, 9), number=4), ("a", "b"), SETTINGS)
    assert not verdict.accepted
    assert "4 donors" in verdict.reasons[0]


def trials_of(candidate, champion, number=6, **more):
    """Trials with the same errors; ``more`` differs between the two: name=(candidate, champion)."""
    return [
        Trial(
            f"D{i}",
            Score({"a": candidate + 0.01 * i}, **{name: pair[0] for name, pair in more.items()}),
            Score({"a": champion + 0.01 * i}, **{name: pair[1] for name, pair in more.items()}),
        )
        for i in range(number)
    ]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"covered": ({"a": False}, {"a": True})}, "intervals that miss"),
        ({"total_error": (-9.0, 2.0)}, "error of the total"),
        ({"unclassified": (0.08, 0.01)}, "unclassified cells"),
    ],
)
def test_each_figure_that_is_worse_for_certain_refuses(more, words):
    verdict = judge(trials_of(2, 2, **more), ("a",), SETTINGS)
    assert [reason.split(":")[0] for reason in verdict.reasons] == [words]
    better = {name: (second, first) for name, (first, second) in more.items()}
    assert judge(trials_of(2, 2, **better), ("a",), SETTINGS).accepted


def test_what_cannot_be_said_refuses_nobody():
    assert judge(trials_of(2, 2, total_error=(float("nan"), 1.0)), ("a",), SETTINGS).accepted


def test_one_instrument_worse_is_refused_though_the_mean_is_not():
    far = [Trial(f"E{i}", Score({"a": 4 + 0.01 * i}), Score({"a": 2}), "new") for i in range(4)]
    near = [Trial(f"D{i}", Score({"a": 1 + 0.01 * i}), Score({"a": 4}), "old") for i in range(9)]
    verdict = judge(far + near, ("a",), SETTINGS)
    assert [reason.split(":")[0] for reason in verdict.reasons] == ["instrument new"]
    assert verdict.figures["instruments"]["old"]["change"] == pytest.approx(-2.96)


def test_verification_donors_are_judged_on_their_own():
    ordinary = trials_of(1, 3, number=30)
    apart = [
        Trial(f"V{i}", Score({"a": 6 + 0.01 * i}), Score({"a": 2}), verification=True)
        for i in range(3)
    ]
    assert judge(ordinary + apart, ("a",), SETTINGS).accepted
    verdict = judge(ordinary + apart, ("a",), SETTINGS, fewest_verification=3)
    assert not verdict.accepted
    assert all(reason.startswith("verification donors, ") for reason in verdict.reasons)
    lacking = judge(ordinary + apart, ("a",), SETTINGS, fewest_verification=4)
    assert "only 3 verification donors" in lacking.reasons[0]
