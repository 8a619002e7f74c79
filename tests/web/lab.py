"""A laboratory in numbers: a study with controls and patients over time, put straight into rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from cellcensus.study import Acquisition, CellHints, Mode, Role, Specimen, Study
from db.cells import add_cell_file, record_recording
from db.predictions import add_prediction
from db.registry import add_model, crown
from db.studies import record_study, specimen_keys
from db.tables import ModelVersion

CLASSES = ("neutrophil", "lymphocyte", "monocyte")
START = datetime(2026, 1, 5, 8, tzinfo=UTC)
TRUE = np.array([0.6, 0.32, 0.08])
QUALITY = {"focus_median": (0.3, 0.01), "cell_contrast": (0.4, 0.02), "background_level": (180, 2)}


def fill_lab(session, *, days=30, drift_from=None, folder=Path("/nowhere"), seed=1):
    """One control and two patients a day, half of them mixed; from ``drift_from`` on all drifts."""
    random, looks = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    study = _study(days, folder, random)
    key = record_study(session, study)
    keys = specimen_keys(session, key)
    model = add_champion(session, "model-1-lab")
    for place, specimen in enumerate(study.specimens):
        day = place // 3
        drifts = drift_from is not None and day >= drift_from
        shift = 0.06 if drifts else 0.0
        file = _cells(session, key, keys[specimen.specimen_id], specimen, random, drifts=drifts)
        fraction = _near(np.array(list(specimen.percent.values() or 100 * TRUE)) / 100, random)
        fraction += np.array([shift, -shift, 0])
        details = _look(looks, drifts=drifts)
        _predict(session, keys[specimen.specimen_id], file.key, model.key, fraction, details)
    return key


def _look(random, *, drifts):
    """How the cells look to the model: contrast falls by a tenth where all drifts."""
    effect = random.normal(-0.1 if drifts else 0.0, 0.03)
    apart = np.abs(np.append(random.normal(0, 1, 8), effect / 0.03))
    return {
        "drift": float(apart.max()),
        "unclassified_unusual": float(random.normal()),
        "log_contrast_effect": float(effect),
        "log_size_effect": float(random.normal(0, 0.02)),
    }


def add_champion(session, model_id, card=None, classes=CLASSES):
    model = add_model(
        session,
        model_id=model_id,
        sha256="ab" * 32,
        path=f"models/{model_id}",
        recipe={},
        classes=classes,
        trained_on=[
            {"study": "other", "specimen_id": f"X{i}", "donor_id": f"Y{i}", "role": role}
            for i, role in enumerate(("purified", "mixed", "mixed", "blank"))
        ],
        card=card if card is not None else CARD,
        run_key=None,
    )
    crown(session, model, action="first", reasons=["the first of its classes"])
    session.flush()
    return model


def add_candidate(session, model_id, classes=CLASSES):
    model = add_champion_like(session, model_id, classes)
    session.flush()
    return model


def add_champion_like(session, model_id, classes) -> ModelVersion:
    return add_model(
        session,
        model_id=model_id,
        sha256="cd" * 32,
        path=f"models/{model_id}",
        recipe={},
        classes=classes,
        trained_on=[],
        card=CARD,
        run_key=None,
    )


CARD = {
    "donors": {"all": 24, "mixed": 12},
    "trained_on": {"studies": {}, "cells": 51200},
    "instruments": ["bench-1"],
    "method": "recalibrated",
    "recovery": {"bench-1": 0.91},
    "held_out": {
        "by_class": {
            "neutrophil": {"mean_absolute_points": 2.8, "bias_points": -0.3},
            "lymphocyte": {"mean_absolute_points": 4.1, "bias_points": 1.0},
            "monocyte": {"mean_absolute_points": 1.6, "bias_points": 0.1},
        }
    },
    "limits": ["Counts only the classes named here; other cells raise the unclassified share."],
    "flags": ["few_mixed_donors"],
    "suspects": [
        {
            "specimen": "M007",
            "cell_class": "monocyte",
            "found": 0.09,
            "stated": 0.31,
            "swapped_with": "M011",
        },
        {
            "specimen": "M003",
            "kind": "total",
            "cell_class": "",
            "found": 6100.0,
            "stated": 61000.0,
            "swapped_with": None,
            "exchanged_with": None,
        },
        {
            "specimen": "M005",
            "kind": "exchanged",
            "cell_class": "neutrophil",
            "found": 0.6,
            "stated": 0.2,
            "swapped_with": None,
            "exchanged_with": "lymphocyte",
        },
    ],
    "learning_curve": [
        {"donors": 4, "error": 0.05, "low": 0.04, "high": 0.06},
        {"donors": 8, "error": 0.03, "low": 0.025, "high": 0.036},
        {"donors": 12, "error": 0.026, "low": 0.02, "high": 0.031},
    ],
}


def _study(days, folder, random):
    specimens = []
    for day in range(days):
        moment = START + timedelta(days=day)
        specimens.append(_specimen(f"C{day:03}", Role.CONTROL, moment, 100 * TRUE))
        mixed = _specimen(f"M{day:03}", Role.MIXED, moment, 100 * _near(TRUE, random, 0.06))
        specimens.append(mixed)
        unknown = _specimen(f"U{day:03}", Role.UNKNOWN, moment, None)
        specimens.append(replace(unknown, acquired_at=moment + timedelta(hours=2)))
    acquisition = Acquisition(Mode.FLOW, 0.3, 50.0)
    return Study(folder, "lab", CLASSES, acquisition, CellHints(), tuple(specimens))


def _specimen(name, role, moment, percent):
    known = {} if percent is None else dict(zip(CLASSES, map(float, percent), strict=True))
    return Specimen(
        specimen_id=name,
        donor_id=f"D-{name}",
        role=role,
        recording=f"{name}.avi",
        acquired_at=moment,
        instrument_id="bench-1",
        wbc_per_ul=None if percent is None else 6000.0,
        percent=known,
    )


def _near(fraction, random, sd=0.015):
    noisy = np.abs(fraction + random.normal(0, sd, len(fraction)))
    return noisy / noisy.sum()


def _cells(session, study_key, key, specimen, random, *, drifts):
    recording = record_recording(
        session, study_key, specimen.recording, sha256=specimen.specimen_id, size=1, stamp="1"
    )
    quality = {
        name: float(random.normal(mean - (4 * sd if drifts else 0), sd))
        for name, (mean, sd) in QUALITY.items()
    }
    return add_cell_file(
        session,
        specimen_key=key,
        recording_key=recording.key,
        run_key=None,
        recipe={},
        recipe_id="ingest-1-0",
        path="cells",
        n_cells=500,
        quality=quality,
    )


def _predict(session, key, cell_file_key, model_key, fraction, details):
    rows = [
        {
            "cell_class": name,
            "count": int(500 * share),
            "fraction": float(share),
            "fraction_low": max(float(share) - 0.04, 0.0),
            "fraction_high": float(share) + 0.04,
            "per_ul": 6000 * float(share),
            "per_ul_low": 5800 * float(share),
            "per_ul_high": 6200 * float(share),
        }
        for name, share in zip(CLASSES, fraction, strict=True)
    ]
    values = {
        "specimen_key": key,
        "cell_file_key": cell_file_key,
        "model_key": model_key,
        "run_key": None,
        "recipe_id": f"predict-2-{key}",
        "recipe": {},
        "path": "p.parquet",
        "held_out": False,
        "cells": 480,
        "total_per_ul": 6000.0,
        "total_per_ul_low": 5800.0,
        "total_per_ul_high": 6200.0,
        "flags": [],
        "method": "recalibrated",
        "details": details,
    }
    add_prediction(session, values, rows)
