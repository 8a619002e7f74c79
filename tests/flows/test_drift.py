"""Instruments that change with time are raised to people, and retrain only where it is wanted."""

import pytest
from sqlalchemy import select

from db.findings import open_findings
from db.registry import crown
from db.schema import upgrade
from db.studies import find_study
from db.tables import Prediction
from flows import run
from flows.context import Outcome
from flows.controls import LOOK, charts_of
from flows.drift import watch_drift
from flows.registry import list_models
from flows.run import predict_new, run_study
from tests.web.lab import add_candidate, fill_lab

ALL = {"drift_composition", "drift_controls", "drift_embedding", "drift_quality"}


@pytest.fixture
def lab(opened, address):
    """A laboratory of forty days whose instrument changes on a day, or never."""

    def filled(drift_from=None, seed=1):
        upgrade(address)
        ctx = opened(database_url=None if address.startswith("sqlite") else address)
        with ctx.store.unit_of_work() as session:
            fill_lab(session, days=40, drift_from=drift_from, seed=seed)
            session.commit()
        return ctx

    return filled


def _findings(ctx):
    with ctx.store.reading() as session:
        found = open_findings(session, find_study(session, "lab").key)
    return {one.code: one for one in found if one.code.startswith("drift_")}


def test_drift_is_raised_once_with_what_to_do(lab):
    ctx = lab(drift_from=30)
    outcome = watch_drift(ctx, "lab")
    assert set(outcome.raised) == ALL
    found = _findings(ctx)
    assert set(found) == ALL
    assert "bench-1: control specimens left the limits" in found["drift_controls"].message
    assert "retrain" in found["drift_controls"].action
    again = watch_drift(ctx, "lab")
    assert again.raised == []
    assert len(again.notes) == 4  # it still stands


def test_the_look_of_the_cells_is_charted_of_one_model_alone(lab):
    ctx = lab(drift_from=30)
    with ctx.store.unit_of_work() as session:
        charts = charts_of(session, "bench-1").look
        assert [chart.code for chart in charts] == [f"look-{code}" for code in LOOK]
        by_code = {chart.code: chart for chart in charts}
        assert {chart.n for chart in charts} == {120}
        assert by_code["look-log_contrast_effect"].latest_is_out
        assert by_code["look-drift"].out
        # Another model sees with other eyes: what the first one saw is no measure of it.
        newer = add_candidate(session, "model-2-lab")
        crown(session, newer, action="promote", reasons=["test"])
        rows = session.scalars(select(Prediction).order_by(Prediction.key.desc()).limit(30)).all()
        for row in rows:
            row.model_key = newer.key
        session.flush()
        assert {chart.n for chart in charts_of(session, "bench-1").look} == {30}


def test_what_is_in_control_again_is_cleared(lab, monkeypatch):
    ctx = lab(drift_from=30)
    watch_drift(ctx, "lab")
    monkeypatch.setattr("flows.drift.instruments_of", lambda session, key: [])
    assert watch_drift(ctx, "lab").notes == []
    assert _findings(ctx) == {}


def test_a_laboratory_that_does_not_drift_is_left_in_peace(lab):
    ctx = lab()
    assert watch_drift(ctx, "lab").raised == []


@pytest.fixture
def drifting(monkeypatch):
    def raised(_ctx, study):
        return Outcome("drift", study, notes=["bench-1 drifts"], raised=["drift_controls"])

    monkeypatch.setattr(run, "watch_drift", raised)


@pytest.mark.parametrize("wanted", [False, True])
def test_the_nightly_job_retrains_only_where_it_is_wanted(opened, calls, study, drifting, wanted):
    run_study(opened(seed=2), study.path)
    ctx = opened(seed=1, drift={"retrain": wanted})
    stages = [outcome.stage for outcome in predict_new(ctx, study.path)]
    assert stages == ["ingest", "predict", "drift", "report", *(["retrain"] if wanted else [])]
    assert len(list_models(ctx)) == 1 + wanted


def test_it_can_be_turned_off(opened, calls, study, drifting):
    run_study(opened(), study.path)
    ctx = opened(drift={"watch": False, "retrain": True})
    assert "drift" not in [outcome.stage for outcome in predict_new(ctx, study.path)]
