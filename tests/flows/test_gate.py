import pytest

from cellcensus.settings import GateSettings
from flows.gate import Pairing, judge

SETTINGS = GateSettings(fewest_donors=5, margin_points=1.0, class_margin_points=0.5)


def _pairs(candidate, champion, number=8):
    return [
        Pairing(
            f"D{i}",
            {"a": candidate[0] + 0.1 * i, "b": candidate[1]},
            {"a": champion[0] + 0.1 * i, "b": champion[1]},
        )
        for i in range(number)
    ]


def test_equal_is_good_enough():
    verdict = judge(_pairs((3, 2), (3, 2)), ("a", "b"), SETTINGS)
    assert verdict.accepted
    assert verdict.figures["overall"]["change"] == 0


def test_the_change_is_the_paired_mean_with_its_t_interval():
    pairs = [Pairing(f"D{i}", {"a": 2.0 + d}, {"a": 2.0}) for i, d in enumerate((1, 2, 3, 4, 5))]
    found = judge(pairs, ("a",), SETTINGS).figures["overall"]
    assert found["change"] == pytest.approx(3)
    assert (found["low"], found["high"]) == pytest.approx((3 - 1.9632, 3 + 1.9632), abs=1e-3)


def test_one_class_worse_is_refused_though_the_mean_is_not():
    verdict = judge(_pairs((1, 4), (4, 1)), ("a", "b"), SETTINGS)
    assert not verdict.accepted
    assert [reason.split(":")[0] for reason in verdict.reasons] == ["b"]


def test_uncertainty_counts_against_the_candidate():
    pairs = [
        Pairing(f"D{i}", {"a": 2.0 + change}, {"a": 2.0})
        for i, change in enumerate((-9, 9, -8, 8, -7, 7))
    ]
    verdict = judge(pairs, ("a",), SETTINGS)
    assert not verdict.accepted
    assert "mean over classes" in verdict.reasons[0]


def test_a_donor_with_many_specimens_counts_once():
    pairs = [Pairing("D0", {"a": 9.0}, {"a": 2.0})] * 50
    pairs += [Pairing(f"D{i}", {"a": 1.0}, {"a": 2.0}) for i in range(1, 9)]
    found = judge(pairs, ("a",), SETTINGS).figures["overall"]
    assert found["change"] == pytest.approx((7 - 8) / 9)


def test_too_few_donors():
    verdict = judge(_pairs((1, 1), (9, 9), number=4), ("a", "b"), SETTINGS)
    assert not verdict.accepted
    assert "4 donors" in verdict.reasons[0]
