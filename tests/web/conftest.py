"""A small home: one study with a specimen in each state, a model, and the stored reports."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from cellcensus.findings import Finding, Level
from cellcensus.settings import Settings, WebSettings
from cellcensus.study import Acquisition, CellHints, Mode, Role, Specimen, Study
from db.accounts import find_account
from db.cells import add_cell_file, record_recording
from db.findings import reconcile
from db.predictions import add_prediction
from db.registry import add_model
from db.reports import add_report
from db.schema import upgrade
from db.sessions import begin_session
from db.store import Store
from db.studies import record_study, specimen_keys
from db.tables import Account
from reports.specimen import render_specimen
from reports.study import render_study
from tests.reports import samples
from tests.web.benchhome import write_classes
from web.app import create_app

CLASSES = ("neutrophil", "lymphocyte")
START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def make_study(name: str = "demo", specimens: int = 4) -> Study:
    return Study(
        folder=Path("/nowhere"),
        name=name,
        classes=CLASSES,
        acquisition=Acquisition(Mode.FIELDS, 0.3),
        cells=CellHints(),
        specimens=tuple(
            Specimen(
                specimen_id=f"S{i:03}",
                donor_id=f"D{i:03}",
                role=Role.MIXED if i % 2 else Role.UNKNOWN,
                recording=f"S{i:03}.avi",
                acquired_at=START + timedelta(days=i),
                instrument_id="bench-1" if i % 2 else "bench-2",
            )
            for i in range(specimens)
        ),
    )


def fill(session, key, keys):
    """S000 predicted and reported, S001 ingested, S002 quarantined, S003 waiting."""
    files = {}
    for name in ("S000", "S001"):
        recording = record_recording(session, key, f"{name}.avi", sha256=name, size=1, stamp="1")
        files[name] = add_cell_file(
            session,
            specimen_key=keys[name],
            recording_key=recording.key,
            run_key=None,
            recipe={},
            recipe_id="ingest-1-0",
            path="cells",
            n_cells=500,
            quality={},
        )
    model = add_model(
        session,
        model_id="model-1-abc",
        sha256="ab" * 32,
        path="models/model-1-abc",
        recipe={},
        classes=CLASSES,
        trained_on=[],
        card={},
        run_key=None,
    )
    model.state = "champion"
    add_prediction(
        session,
        {
            "specimen_key": keys["S000"],
            "cell_file_key": files["S000"].key,
            "model_key": model.key,
            "run_key": None,
            "recipe_id": "predict-1-0",
            "recipe": {},
            "path": "p.parquet",
            "held_out": False,
            "cells": 480,
            "total_per_ul": 6120.0,
            "total_per_ul_low": None,
            "total_per_ul_high": None,
            "flags": ["few_cells"],
            "method": "mean",
            "details": {},
        },
        [counted(name, share) for name, share in zip(CLASSES, (0.75, 0.25), strict=True)],
    )
    found = Finding(Level.VIOLATION, "empty_file", "The file has 0 bytes", "Copy it again", "S002")
    reconcile(
        session,
        [found],
        study_key=key,
        specimen_key=keys["S002"],
        source="ingest",
        quarantines=True,
    )


def counted(name, share):
    values = {"fraction": share, "fraction_low": share - 0.1, "fraction_high": share + 0.1}
    return {"cell_class": name, "count": int(480 * share), **values, "per_ul": 6120 * share}


def write_report(session, home, study_key, specimen_key, name, html):
    file = home / "reports" / "demo" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(html, encoding="utf-8")
    add_report(
        session,
        {
            "study_key": study_key,
            "specimen_key": specimen_key,
            "run_key": None,
            "recipe_id": "report-1-0",
            "recipe": {},
            "path": f"reports/demo/{name}",
            "sha256": hashlib.sha256(html.encode()).hexdigest(),
        },
    )
    return file


@cache
def pages() -> tuple[str, str]:
    content = samples.specimen(specimen_id="S000", study="demo")
    return render_specimen(content), render_study(samples.study())


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path, web=WebSettings(page_size=2))


@pytest.fixture
def store(settings):
    upgrade(settings.database_address())
    made = Store(settings.database_address())
    yield made
    made.close()


@pytest.fixture
def home(settings, store):
    with store.unit_of_work() as session:
        key = record_study(session, make_study())
        keys = specimen_keys(session, key)
        fill(session, key, keys)
        write_classes(settings.home / "p.parquet", np.repeat([0, 1], [360, 120]).astype(np.int8))
        specimen_page, study_page = pages()
        write_report(session, settings.home, key, keys["S000"], "S000.html", specimen_page)
        write_report(session, settings.home, key, None, "index.html", study_page)
        session.commit()
    return settings.home


def signed_in(client, store, role, name=None):
    """Sign somebody of this role in, without the cost of a password; the client sends the token."""
    name = name or role
    with store.unit_of_work() as session:
        account = find_account(session, name)
        if account is None:
            # "!" is no hash: no password is right for it.
            account = Account(
                name=name, full_name=name.title(), role=role, password_hash="!", locked_until=None
            )
            session.add(account)
            session.flush()
        begun = begin_session(session, account, Settings().access)
        session.commit()
    # As the browser keeps it when the application sets it, so that a later one replaces it.
    client.cookies.set("cellcensus_session", begun.token, domain="testserver.local", path="/")
    client.headers["X-CSRF-Token"] = begun.csrf
    return client


@pytest.fixture
def app(settings):
    return create_app(settings)


@pytest.fixture
def stranger(app):
    """A client that is not signed in."""
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as made:
        yield made


@pytest.fixture
def client_as(app, store):
    """Signs in: ``client_as("reviewer")``; several people at once, by another ``name`` each."""
    with ExitStack() as opened:

        def make(role, name=None):
            client = opened.enter_context(TestClient(app, raise_server_exceptions=False))
            return signed_in(client, store, role, name)

        yield make


@pytest.fixture
def client(client_as):
    """A technician, signed in."""
    return client_as("technician")
