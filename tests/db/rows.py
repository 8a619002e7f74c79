"""Rows for tests: a model, cells and predictions, made without pictures."""

from db import cells, predictions, registry
from db.studies import record_study, specimen_keys


def put_study(session, study):
    key = record_study(session, study)
    return key, specimen_keys(session, key)


def put_cells(session, study_key, specimen_key, recipe_id="ingest-1-a", path="U1.avi"):
    recording = cells.record_recording(
        session, study_key, path, sha256="aa" * 32, size=5, stamp="5:1"
    )
    return cells.add_cell_file(
        session,
        specimen_key=specimen_key,
        recording_key=recording.key,
        run_key=None,
        recipe={"stage": "ingest"},
        recipe_id=recipe_id,
        path=f"cells/{recipe_id}",
        n_cells=10,
        quality={"focus_median": 0.5},
    )


def put_model(session, model_id, classes=("round", "lobed")):
    return registry.add_model(
        session,
        model_id=model_id,
        sha256="bb" * 32,
        path=f"models/{model_id}",
        recipe={},
        classes=classes,
        trained_on=[],
        card={},
        run_key=None,
    )


def put_prediction(session, cell_file, model, recipe_id, held_out=False, cells=10):
    return predictions.add_prediction(
        session,
        {
            "specimen_key": cell_file.specimen_key,
            "cell_file_key": cell_file.key,
            "model_key": model.key,
            "run_key": None,
            "recipe_id": recipe_id,
            "recipe": {},
            "path": f"predictions/{recipe_id}.parquet",
            "held_out": held_out,
            "cells": cells,
            "total_per_ul": 7000.0,
            "total_per_ul_low": None,
            "total_per_ul_high": None,
            "flags": [],
            "method": "test",
            "details": {},
        },
        [_row("round", 0.6), _row("lobed", 0.4)],
    )


def _row(cell_class, fraction):
    return {
        "cell_class": cell_class,
        "count": int(10 * fraction),
        "fraction": fraction,
        "fraction_low": fraction - 0.1,
        "fraction_high": fraction + 0.1,
        "per_ul": None,
        "per_ul_low": None,
        "per_ul_high": None,
    }
