"""What a study's report is made of."""

import math

from flows.study_content import learning_curve


def test_the_cards_learning_curve_is_in_shares_already():
    curve = learning_curve(
        [{"donors": 3, "error": 0.029, "low": 0.025, "high": 0.033}, {"donors": 6, "error": 0.02}]
    )
    assert [point.donors for point in curve] == [3, 6]
    assert [round(point.error, 6) for point in curve] == [0.029, 0.02]
    assert (round(curve[0].low, 6), round(curve[0].high, 6)) == (0.025, 0.033)
    assert math.isnan(curve[1].low)
