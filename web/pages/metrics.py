"""The service in figures, in Prometheus' text format; drawn anew at each request."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.orm import Session

from cellcensus import __version__
from cellcensus.settings import Settings
from db import figures, jobs, outbox, registry
from db.status import count_rows
from db.store import Store
from db.tables.outbox import JOB_STATES
from db.types import utc_now


def metrics_text(store: Store, settings: Settings) -> bytes:
    """All figures as Prometheus reads them."""
    chosen = CollectorRegistry(auto_describe=False)
    with store.reading() as session:
        chosen.register(_Home(session, settings.home))
        return generate_latest(chosen)


class _Home(Collector):
    def __init__(self, session: Session, home: Path) -> None:
        self.session, self.home = session, home

    def collect(self) -> Iterator[Metric]:
        """Every figure once."""
        yield from self._stored()
        yield from self._work()
        yield _gauge("disk_free_bytes", "Free room on the home's disk.", self._free())
        info = GaugeMetricFamily("cellcensus_info", "Version of the software.", labels=["version"])
        info.add_metric([__version__], 1)
        yield info

    def _stored(self) -> Iterator[Metric]:
        counted = count_rows(self.session)
        words = {
            "specimens": "Specimens listed by the studies' sheets.",
            "ingested": "Specimens whose cells were found.",
            "predicted": "Specimens with a prediction in force.",
            "reports": "Reports in force.",
            "cells": "Unique cells found.",
            "models": "Models in the registry.",
        }
        for name, text in words.items():
            yield _gauge(name, text, counted[name])
        aside = figures.quarantine_size(self.session)
        yield _gauge("quarantined", "Specimens set aside now.", aside)
        champions = len(registry.champions(self.session))
        yield _gauge("champions", "Models in force.", champions)

    def _work(self) -> Iterator[Metric]:
        asked = jobs.counts(self.session)
        by_state = GaugeMetricFamily("cellcensus_jobs", "Jobs by state.", labels=["state"])
        for state in JOB_STATES:
            by_state.add_metric([state], asked.get(state, 0))
        yield by_state
        since = jobs.oldest_waiting(self.session)
        waits = (utc_now() - since).total_seconds() if since else 0.0
        yield _gauge("oldest_job_seconds", "How long the first job has been waiting.", waits)
        posted = GaugeMetricFamily("cellcensus_messages", "Reports by delivery.", labels=["state"])
        for state, count in outbox.counts(self.session).items():
            posted.add_metric([state], count)
        yield posted
        runs = CounterMetricFamily("cellcensus_runs", "Runs of a stage.", labels=["stage", "state"])
        for (stage, state), count in figures.run_counts(self.session).items():
            runs.add_metric([stage, state], count)
        yield runs
        success = GaugeMetricFamily(
            "cellcensus_last_success_timestamp_seconds",
            "When a stage last ended well.",
            labels=["stage"],
        )
        for stage, moment in figures.last_successes(self.session).items():
            success.add_metric([stage], moment.timestamp())
        yield success

    def _free(self) -> float:
        return float(shutil.disk_usage(self.home).free)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"cellcensus_{name}", text, value)
