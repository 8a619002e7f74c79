"""What a study's report is made of."""

import math

from flows.study_content import learning_curve


def test_the_cards_points_become_shares_once():
    curve = learning_curve(
        [{"donors": 3, "error": 2.9, "low": 2.5, "high": 3.3}, {"donors": 6, "error": 2.0}]
    )
    assert [point.donors for point in curve] == [3, 6]
    assert [round(point.error, 6) for point in curve] == [0.029, 0.02]
    assert (round(curve[0].low, 6), round(curve[0].high, 6)) == (0.025, 0.033)
    assert math.isnan(curve[1].low)
