import pytest

from benchmarks.overhead import Cost, deviations, study


def test_a_straight_line_is_straight_and_a_parabola_is_not():
    sizes = [10, 50, 100, 200]
    assert deviations(sizes, [3 + 0.1 * n for n in sizes]) == pytest.approx([0] * 4, abs=1e-9)
    assert max(map(abs, deviations(sizes, [0.01 * n * n for n in sizes]))) > 0.3


def test_own_time_is_what_was_not_slept():
    assert Cost(10, wall=5.0, slept=4.0, processor=0.5).own == 1.0


def test_a_study_has_as_many_specimens_as_asked_for(tmp_path):
    from cellcensus.studyfolder import read_study

    found, findings = read_study(study(tmp_path / "study", 30))
    assert len(found.specimens) == 30
    assert findings == [] or all(f.level.value != "violation" for f in findings)
