"""Drift: controls, patients' averages, recordings or cells that left their limits are raised.

Judged by the control charts of the instruments of a study, by their rules; raised as findings of
the study, which go when the charts are in control again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.orm import Session

from cellcensus.findings import Finding, Level
from cellcensus.logs import event
from db.controls import UNNAMED, instruments_of
from db.findings import open_codes, reconcile
from db.studies import find_study, latest_description
from flows.context import Context, Outcome
from flows.controls import Chart, Charts, charts_of
from flows.jobs import studies_like
from flows.retrain import retrain

SOURCE = "drift"

LASTING = frozenset({"2-2s", "4-1s", "10x"})
"""Rules that speak of a shift. A single recording that lies far off is that recording's matter."""


def watch_drift(ctx: Context, name: str) -> Outcome:
    """Judge the instruments of a study; ``raised`` has what was in control the last time.

    Raises
    ------
    UsageError
        There is no study of that name.
    """
    outcome = Outcome("drift", name)
    with ctx.store.reading() as session:
        key = find_study(session, name).key
        found = [one for place in instruments_of(session, key) for one in _out(session, place)]
        before = open_codes(session, key, SOURCE)
    with ctx.store.unit_of_work() as session:
        reconcile(session, found, study_key=key, specimen_key=None, source=SOURCE)
        session.commit()
    outcome.notes = [one.message for one in found]
    outcome.raised = sorted({one.code for one in found if (one.code, one.message) not in before})
    if outcome.raised:
        event("drift.raised", {"study": name, "codes": outcome.raised}, level=logging.WARNING)
    return outcome


def retrain_for_drift(ctx: Context, study: str) -> Outcome:
    """Train a candidate on every study of the same classes whose folder is still there."""
    with ctx.store.reading() as session:
        names = studies_like(session, find_study(session, study).key)
        folders = [
            Path(latest_description(session, find_study(session, name).key).folder)
            for name in names
        ]
    return retrain(ctx, [one for one in folders if one.is_dir()])


def _out(session: Session, instrument: str) -> Iterator[Finding]:
    charts = charts_of(session, instrument)
    where = "recordings without an instrument" if instrument == UNNAMED else instrument
    for kind, what, names in _drifting(charts):
        if names:
            yield Finding(
                Level.ALERT,
                f"drift_{kind}",
                f"{where}: {what} left the limits: {', '.join(names)}",
                "look at the control charts of the instrument; where it is sound and stays so, "
                "`cellcensus retrain STUDY…` makes a candidate",
            )


def _drifting(charts: Charts) -> Iterator[tuple[str, str, list[str]]]:
    controls = [chart.title for chart in charts.controls if chart.latest_is_out]
    yield "controls", "control specimens", controls
    patients = [chart.title for chart in charts.patients if _is_settled(chart)]
    yield "composition", "the average composition", patients
    lasting = [c.title for c in charts.quality if _is_settled(c) and _lasts(c)]
    yield "quality", "figures of recordings", lasting
    strange = [c.title for c in charts.look if _is_settled(c) and _lasts(c)]
    yield "embedding", "the look of the cells to the model", strange


def _is_settled(chart: Chart) -> bool:
    """Whether it is out, by a target that is not provisional any more."""
    from reports.control import FIRST

    return chart.latest_is_out and chart.n > FIRST


def _lasts(chart: Chart) -> bool:
    return bool(LASTING.intersection(chart.broken[-1].rules))
