"""A home to work in: one filmed recording, and specimens whose cells were all found in it.

The recording is filmed and ingested for real; the classes of the cells are drawn, since no test of
the bench needs them to be right. Specimens share the folder of cells: making twenty takes a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cellcensus.settings import IngestSettings, Settings
from cellcensus.study import Acquisition, CellHints, Mode, Role, Specimen, Study
from db.cells import add_cell_file, record_recording
from db.passwords import hash_password
from db.predictions import add_prediction
from db.registry import add_model
from db.schema import upgrade
from db.store import Store
from db.studies import record_study, specimen_keys
from db.tables import Account
from pipeline.ingest import ingest
from tests.pipeline import rendering

CLASSES = ("neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil")
SHARES = np.array([0.55, 0.3, 0.08, 0.05, 0.02])
START = datetime(2026, 3, 2, 8, tzinfo=UTC)
PASSWORD = "four quiet white cells"
PEOPLE = {"tina": "technician", "theo": "technician", "rosa": "reviewer", "vera": "viewer"}


@dataclass(frozen=True)
class Home:
    """A home that is filled: its settings, and specimen → key."""

    settings: Settings
    keys: dict[str, int]
    cells: int


def specimen_id(number: int) -> str:
    return f"W{number:03}"


def make_home(
    folder: Path,
    *,
    specimens: int = 20,
    copies: int = 1,
    people: dict[str, str] = PEOPLE,
    **settings: object,
) -> Home:
    """Fill a home; ``copies`` is how many pictures stand for one filmed cell."""
    made = Settings(home=folder / "home", **settings)
    study_folder = folder / "study"
    study_folder.mkdir(parents=True)
    pictures, _ = rendering.flowing_discs(n_cells=44, frames=90)
    rendering.write_video(study_folder / "ward.avi", pictures)
    cells, quality = _ingested(made, study_folder)
    if copies > 1:
        cells = _copied(made, cells, copies)
    upgrade(made.database_address())
    store = Store(made.database_address())
    with store.unit_of_work() as session:
        keys = _fill(session, made, _study(study_folder, specimens), cells, quality)
        secret = hash_password(PASSWORD)
        session.add_all(
            Account(name=name, full_name=f"{name.title()} Berg", role=role, password_hash=secret)
            for name, role in people.items()
        )
        session.commit()
    store.close()
    return Home(made, keys, cells)


def _ingested(settings: Settings, study: Path) -> tuple[int, dict[str, float]]:
    out = settings.home / "cells" / "ward" / "ingest-1-a"
    summary = ingest(
        "ward.avi",
        folder=study,
        acquisition=Acquisition(Mode.FLOW, 0.6, 50),
        hints=CellHints(),
        settings=IngestSettings(),
        out=out,
        specimen_id="W000",
    )
    return summary.n_cells, {
        name: None if value != value else value for name, value in summary.quality.as_dict().items()
    }


def _copied(settings: Settings, cells: int, copies: int) -> int:
    """The same cells several times, so that a specimen has thousands."""
    folder = settings.home / "cells" / "ward" / "ingest-1-a"
    table = pq.read_table(folder / "cells.parquet")
    many = pa.concat_tables([table] * copies)
    place = many.schema.get_field_index("cell_id")
    many = many.set_column(place, "cell_id", pa.array(np.arange(len(many), dtype=np.int32)))
    pq.write_table(many, folder / "cells.parquet")
    np.save(folder / "crops.npy", np.concatenate([np.load(folder / "crops.npy")] * copies))
    return cells * copies


def _study(folder: Path, number: int) -> Study:
    return Study(
        folder=folder,
        name="ward",
        classes=CLASSES,
        acquisition=Acquisition(Mode.FLOW, 0.6, 50),
        cells=CellHints(),
        specimens=tuple(
            Specimen(
                specimen_id=specimen_id(i),
                # The first two are of one donor, so that there is something to compare.
                donor_id="D001" if i < 2 else f"D{i:03}",
                role=Role.MIXED if i % 2 else Role.UNKNOWN,
                recording="ward.avi",
                imaged_volume_ul=1.5,
                dilution=20,
                acquired_at=START + timedelta(hours=i),
                instrument_id="flow-1",
                wbc_per_ul=6400.0 if i % 2 else None,
            )
            for i in range(number)
        ),
    )


def _fill(session, settings, study, cells, quality) -> dict[str, int]:
    study_key = record_study(session, study)
    keys = specimen_keys(session, study_key)
    recording = record_recording(session, study_key, "ward.avi", sha256="aa", size=1, stamp="1")
    model = add_model(
        session,
        model_id="model-1-ward",
        sha256="ab" * 32,
        path="models/model-1-ward",
        recipe={"generation": 1},
        classes=CLASSES,
        trained_on=[],
        card={},
        run_key=None,
    )
    model.state = "champion"
    for number, (name, key) in enumerate(keys.items()):
        file = add_cell_file(
            session,
            specimen_key=key,
            recording_key=recording.key,
            run_key=None,
            recipe={},
            recipe_id="ingest-1-a",
            path="cells/ward/ingest-1-a",
            n_cells=cells,
            quality=quality,
        )
        _predict(session, settings, (number, name), (key, file.key, model.key), cells)
    return keys


def _predict(session, settings, which, keys, cells) -> None:
    number, name = which
    codes, probability = drawn_classes(cells, number)
    path = f"predictions/ward/{name}.parquet"
    write_classes(settings.home / path, codes, probability)
    counts = np.array([(codes == code).sum() for code in range(len(CLASSES))])
    share = counts / counts.sum()
    total = 6100.0 + 37 * number
    values = {
        "specimen_key": keys[0],
        "cell_file_key": keys[1],
        "model_key": keys[2],
        "run_key": None,
        "recipe_id": f"predict-1-{number}",
        "recipe": {},
        "path": path,
        "held_out": False,
        "cells": int((codes > -2).sum()),
        "total_per_ul": total,
        "total_per_ul_low": 0.9 * total,
        "total_per_ul_high": 1.1 * total,
        "flags": _flags(number),
        "method": "counting",
        "details": {},
    }
    add_prediction(session, values, [_row(i, counts, share, total) for i in range(len(CLASSES))])


def _flags(number: int) -> list[str]:
    return {3: ["few_cells"], 5: ["few_cells", "hold_unclassified_over_15_percent"]}.get(number, [])


def _row(place, counts, share, total) -> dict[str, object]:
    value = float(share[place])
    low, high = max(value - 0.04, 0.0), min(value + 0.04, 1.0)
    return {
        "cell_class": CLASSES[place],
        "count": int(counts[place]),
        "fraction": value,
        "fraction_low": low,
        "fraction_high": high,
        "per_ul": value * total,
        "per_ul_low": low * total,
        "per_ul_high": high * total,
    }


def drawn_classes(cells: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Classes and probabilities: two unclassified cells in every second specimen, one artefact."""
    rng = np.random.default_rng(seed)
    codes = rng.choice(len(CLASSES), cells, p=SHARES).astype(np.int8)
    codes[:5] = range(5)
    codes[-1] = -2
    if seed % 2:
        codes[-3:-1] = -1
    return codes, rng.uniform(0.5, 1.0, cells).astype(np.float32)


def write_classes(file: Path, codes: np.ndarray, probability: np.ndarray | None = None) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    probability = np.ones(len(codes), np.float32) if probability is None else probability
    table = pa.table(
        {
            "cell_id": pa.array(np.arange(len(codes), dtype=np.int32)),
            "cell_class": pa.array(codes),
            "probability": pa.array(probability),
        }
    )
    pq.write_table(table.replace_schema_metadata({"classes": "\n".join(CLASSES)}), file)
