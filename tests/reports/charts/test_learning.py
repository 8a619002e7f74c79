from dataclasses import replace
from math import nan

from reports.charts.learning import (
    capacity_chart,
    course_chart,
    expected_chart,
    methods_chart,
)
from reports.content import LearningPoint, MethodError
from reports.study import study_view
from tests.reports import samples

STUDY = samples.study()
AHEAD = STUDY.foresight
assert AHEAD is not None


def test_more_donors_are_told_with_what_they_bring():
    chart = expected_chart(STUDY.learning_curve, AHEAD)
    # e(M)² = 0.9² + 7.5² / M: 1.8 points with 24 donors, 1.2 with 96.
    assert "1.8 points with the 24 donors there are, 1.2 to be expected with 96" in chart
    assert "trend ahead" in chart
    assert chart.count("point soft") == 3


def test_the_peak_of_a_bare_head_is_named_and_cut_at_the_frame():
    chart = capacity_chart(AHEAD.capacity, 24)
    assert "36.0 points at 24 numbers without ridge" not in chart
    assert "points at 24 numbers" in chart
    assert "as many as donors: 24" in chart
    assert chart.count("analyser") == len(AHEAD.capacity)


def test_every_method_is_shown_and_the_one_that_reports_stands_out():
    chart = methods_chart(AHEAD.methods)
    assert chart.count('class="bar"') == 3
    assert chart.count("method end") == 1
    assert "kernel embedding, no network" in chart


def test_the_course_of_training_says_what_each_stage_brought():
    chart = course_chart(AHEAD.course)
    assert "9.3 points at a quarter of the purified specimens, 5.8 after them, 1.7 at" in chart
    assert chart.count('"point"') == 8
    mixed_alone = [point for point in AHEAD.course if point.stage == "mixed"]
    assert "purified specimens</text>" not in course_chart(mixed_alone)


def test_a_study_shows_what_it_can_say():
    names = [plot.name for plot in study_view(STUDY)["plots"]]
    assert names == ["expected", "methods", "capacity", "course"]
    few = replace(STUDY, foresight=replace(AHEAD, floor=nan, slope=nan, capacity=(), course=()))
    assert [plot.name for plot in study_view(few)["plots"]] == ["curve", "methods"]
    none = replace(STUDY, foresight=None, learning_curve=(LearningPoint(6, 0.03),))
    assert study_view(none)["plots"] == []


def test_a_method_without_error_is_drawn():
    assert methods_chart([MethodError("counting", 0.0, 0.0)])
