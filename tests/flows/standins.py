"""Small stand-ins of pipeline and models: a recording is a text file with one class name a line.

They obey the interfaces of the real ones and take milliseconds, so that the flows' own decisions
can be tested by the hundred. ``installed`` puts them in place for one test.
"""

from __future__ import annotations

import errno
import json
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cellcensus.errors import ModelFileError, PicturesGoneError, RecordingError, TrainingError
from cellcensus.files import publish_folder
from cellcensus.findings import Finding, Level
from cellcensus.retained import pictures_are_gone
from models.model import Prediction

CLASSES = ("round", "lobed")
# Odd cells resemble no class, and dirt is an artefact.
_AREAS = {"round": 10.0, "lobed": 20.0, "odd": 30.0, "dirt": 40.0}
_INT = ("cell_id", "first_frame", "last_frame", "best_frame", "n_frames")
_FLOAT = (
    *("x", "y", "width", "height", "area_um2", "diameter_um", "eccentricity", "solidity"),
    *("contrast_mean", "contrast_sd", "granularity", "texture", "focus", "speed_um_s"),
)


@dataclass
class Quality:
    window_um: float = 20.0
    figures: dict = field(default_factory=dict)


@dataclass
class Summary:
    n_cells: int
    quality: Quality
    findings: tuple = ()


@dataclass
class Cells:
    table: dict
    crops: np.ndarray
    quality: Quality


calls: dict[str, int] = {}


def _called(name):
    calls[name] = calls.get(name, 0) + 1


def ingest(
    recording, *, folder, acquisition, hints, settings, out, specimen_id, expects_cells=True, **_
):
    _called("ingest")
    text = (Path(folder) / recording).read_text()
    if text == "hiccup":
        raise OSError("the disk hiccuped")
    if text == "full":
        raise OSError(errno.ENOSPC, "No space left on device")
    names = text.split()
    if not names and expects_cells:
        raise RecordingError(
            "the recording has no cells", code="no_cells", specimen_id=specimen_id, next_step="film"
        )
    with publish_folder(out) as temporary:
        (temporary / "cells.json").write_text(json.dumps(names))
    findings = ()
    if 0 < len(names) < 4:
        findings = (Finding(Level.ALERT, "few_cells", "few cells", "film more", specimen_id),)
    return Summary(
        len(names), Quality(figures={"focus": float("nan"), "cells": len(names)}), findings
    )


def read_cells(folder):
    if pictures_are_gone(Path(folder)):
        raise PicturesGoneError("the pictures were deleted", file=folder)
    return _cells(folder)


def _cells(folder):
    names = json.loads((Path(folder) / "cells.json").read_text())
    n = len(names)
    table = {name: np.arange(n, dtype=np.int32) for name in _INT}
    table |= {name: np.full(n, 5.5, np.float32) for name in _FLOAT}
    table["area_um2"] = np.array([_AREAS[name] for name in names], np.float32)
    table["speed_um_s"][:] = np.nan
    table["touching"] = np.zeros(n, bool)
    table["flags"] = np.array([""] * n, object)
    crops = np.full((n, 2, 8, 8), 128, np.uint8)
    return Cells(table, crops, Quality())


def read_columns(folder, columns=None):
    table = _cells(folder).table
    return {name: table[name] for name in columns or table}


def train(bags, classes, *, settings, composition=None, progress=None):
    _called("train")
    mixed = [bag for bag in bags if bag.known.role == "mixed"]
    if not any(bag.known.role == "purified" for bag in bags):
        raise TrainingError("nothing to learn from", next_step="add purified specimens")
    # The seed stands for how good the training is: odd seeds are right, even ones are not.
    bias = 0.0 if settings.seed % 2 else 0.2
    model = types.SimpleNamespace(
        classes=tuple(classes),
        bias=bias,
        card={
            "held_out": {
                "by_class": {name: {"mean_absolute_points": 100 * bias} for name in classes}
            }
        },
    )
    model.held_out = tuple(_predict(model, bag) for bag in mixed)
    return model


def _predict(model, bag):
    area = bag.features[:, bag.feature_names.index("area_um2")]
    cell_class = np.select([area > 35, area > 25, area > 15], [-2, -1, 1], 0).astype(np.int8)
    n = int((cell_class != -2).sum())
    known = cell_class[cell_class >= 0]
    share = 0.5 if len(known) == 0 else float((known == 0).mean())
    fraction = np.array([share - model.bias, 1 - share + model.bias])
    scale = np.nan if bag.dilution is None else 1000.0
    return Prediction(
        specimen_id=bag.specimen_id,
        classes=model.classes,
        cells=n,
        counts=np.bincount(known, minlength=2),
        fraction=fraction,
        fraction_low=fraction - 0.1,
        fraction_high=fraction + 0.1,
        per_ul=fraction * scale,
        per_ul_low=fraction * scale * 0.9,
        per_ul_high=fraction * scale * 1.1,
        total_per_ul=scale,
        total_per_ul_low=scale * 0.9,
        total_per_ul_high=scale * 1.1,
        cell_class=cell_class,
        probability=np.full(len(cell_class), 0.75, np.float32),
        flags=("no_cells",) if n == 0 else (),
        method="counting",
        details={"what": np.float32(1.5), "none": float("nan")},
    )


def predict(model, bag, *, settings, progress=None):
    _called("predict")
    return _predict(model, bag)


def save(model, folder):
    text = json.dumps({"classes": model.classes, "bias": model.bias})
    with publish_folder(Path(folder)) as temporary:
        (temporary / "card.json").write_text(text)
    return _sha(text)


def load(folder, sha256=None):
    text = (Path(folder) / "card.json").read_text()
    if sha256 not in (None, _sha(text)):
        raise ModelFileError("the model was altered", file=folder)
    return types.SimpleNamespace(**json.loads(text))


def _sha(text):
    from hashlib import sha256

    return sha256(text.encode()).hexdigest()


def installed(monkeypatch):
    calls.clear()
    _put(monkeypatch, "pipeline.ingest", ingest=ingest)
    _put(
        monkeypatch,
        "pipeline.cells",
        read_cells=read_cells,
        read_columns=read_columns,
        TABLE="cells.json",
    )
    _put(monkeypatch, "models.training", train=train)
    _put(monkeypatch, "models.prediction", predict=predict)
    _put(monkeypatch, "models.modelfile", save=save, load=load)
    from flows.predict import load_model

    load_model.cache_clear()
    return calls


def _put(monkeypatch, name, **contents):
    module = types.ModuleType(name)
    vars(module).update(contents)
    monkeypatch.setitem(sys.modules, name, module)
    package, _, leaf = name.rpartition(".")
    __import__(package)
    monkeypatch.setattr(sys.modules[package], leaf, module, raising=False)
