import math

import pytest

from flows.ingest import ingest_study
from flows.predict import predict_study
from flows.review import correct, see_bin, sign
from flows.review.earlier import delta
from reports.content import Estimate
from tests.flows.review.conftest import STUDY


def _film(lab, specimen_id, content, acquired_at, donor="D5", role="unknown"):
    lab.folder.add(specimen_id, role, donor, content)
    lab.folder.rows[specimen_id]["acquired_at"] = acquired_at


@pytest.fixture
def followed(laboratory):
    """A donor filmed three times before U1, once after it, and once purified."""
    lab = laboratory
    lab.folder.rows["U1"]["acquired_at"] = "2026-03-10T09:00:00+00:00"
    _film(lab, "E1", "round " * 2 + "lobed " * 8, "2026-03-01T09:00:00+00:00")
    _film(lab, "E2", "round " * 5 + "lobed " * 5, "2026-03-08T09:00:00+00:00")
    _film(lab, "E3", "round " * 5 + "lobed " * 5, "2026-03-20T09:00:00+00:00")
    _film(lab, "E4", "round " * 9, "2026-03-02T09:00:00+00:00", role="purified")
    _film(lab, "E5", "round " * 9, "2026-03-02T09:00:00+00:00", donor="D9")
    lab.folder.write()
    ingest_study(lab.ctx, lab.folder.path)
    predict_study(lab.ctx, lab.folder.path)
    return lab


def test_earlier_blood_of_the_donor_is_shown_newest_first(followed):
    earlier = followed.bench().earlier
    assert [found.specimen_id for found in earlier] == ["E2", "E1"]
    assert {found.study for found in earlier} == {STUDY}


def test_a_difference_beyond_both_intervals_is_said(followed):
    same, other = followed.bench().earlier
    assert same.beyond == ()
    # 0.5 ± 0.1 after 0.2 ± 0.1: the intervals do not meet.
    assert set(other.beyond) == {"round", "lobed"}
    assert other.fractions[0].before.value == pytest.approx(0.2)
    assert not other.total.beyond


def test_a_released_report_speaks_for_the_earlier_specimen(followed):
    seen = followed.bench("E2").seen
    seen = correct(*followed.signing("E2"), cell_ids=[0, 1, 2], after="lobed", seen=seen)
    assert followed.bench().earlier[0].fractions[0].before.value == pytest.approx(0.5)
    sign(*followed.signing("E2"), meaning="released", seen=seen)
    found = followed.bench().earlier[0]
    assert found.released
    assert found.fractions[0].before.value == pytest.approx(0.2)


def test_without_a_time_there_is_no_earlier(followed):
    assert followed.bench("M1").earlier == ()


@pytest.mark.parametrize(
    ("now", "before", "beyond"),
    [
        (Estimate(0.5, 0.4, 0.6), Estimate(0.3, 0.2, 0.39), True),
        (Estimate(0.5, 0.4, 0.6), Estimate(0.3, 0.2, 0.4), False),
        (Estimate(0.1, 0.0, 0.2), Estimate(0.5, 0.3, 0.6), True),
        (Estimate(0.1, 0.0, math.nan), Estimate(0.5, 0.3, 0.6), False),
        (Estimate(), Estimate(), False),
    ],
)
def test_intervals_that_do_not_meet(now, before, beyond):
    assert delta("round", now, before).beyond is beyond


def test_the_bench_of_a_signed_specimen_still_compares(followed):
    seen = see_bin(*followed.at(), seen=followed.bench().seen)
    sign(*followed.signing(), meaning="released", seen=seen)
    assert len(followed.bench().earlier) == 2
