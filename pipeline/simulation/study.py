"""A whole study folder with its truth beside it.

::

    STUDY/study.yaml, specimens.csv, recordings/…    what a laboratory would hand over
    STUDY/truth/truth.csv                            one row a specimen: cells and cells per µL
    STUDY/truth/events.csv.gz                        one row a cell and frame: place and class
    STUDY/truth/settings.json                        what was simulated

Nothing in ``study.yaml`` or ``specimens.csv`` points into ``truth``; it is there to measure with.
"""

from __future__ import annotations

import csv
import gzip
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from cellcensus.errors import UsageError
from cellcensus.files import publish_folder
from cellcensus.progress import Progress, Silent
from cellcensus.study import Mode, Role
from pipeline.simulation.blood import DILUTION, Plan, plan_specimens
from pipeline.simulation.crops import CropLibrary
from pipeline.simulation.settings import SimulationSettings
from pipeline.simulation.specimen import Filmed, film
from pipeline.simulation.writers import recording_name

FIRST_DAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def simulate_study(
    folder: Path,
    *,
    settings: SimulationSettings,
    crops: Path | None = None,
    progress: Progress | None = None,
) -> None:
    """Write a study folder with known truth.

    Parameters
    ----------
    folder
        Must not exist, or be empty; appears whole or not at all.
    settings
        Same settings, same files.
    crops
        Folder of ``<class>/*.png`` with real cells to use in place of drawn ones.
    progress
        Is told of each specimen.

    Raises
    ------
    UsageError
        If the folder holds something, or the pictures cannot be used.
    """
    folder, progress = Path(folder), progress or Silent()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            "The folder for the simulated study is not empty",
            file=folder,
            next_step="Name a new folder.",
        )
    library = CropLibrary(Path(crops), settings.classes) if crops else None
    plans = plan_specimens(settings, np.random.default_rng([settings.seed, 0]))
    progress.start("simulate", len(plans))
    with publish_folder(folder) as place:
        (place / "recordings").mkdir()
        filmed = []
        for number, plan in enumerate(plans):
            rng = np.random.default_rng([settings.seed, 1, number])
            filmed.append(film(plan, place / "recordings", settings, library, rng))
            progress.advance()
        _write_study(place, plans, settings)
        write_truth(place / "truth", plans, filmed, settings)
    progress.finish(f"{len(plans)} specimens, {sum(len(f.classes) for f in filmed)} cells")


def _write_study(place: Path, plans: list[Plan], settings: SimulationSettings) -> None:
    acquisition: dict[str, Any] = {
        "mode": settings.mode.value,
        "pixel_size_um": settings.pixel_size_um,
    }
    if settings.mode is Mode.FLOW:
        acquisition["frame_rate_hz"] = settings.frame_rate_hz
    low, high = 5.0 * min(settings.scale, 1.0), 22.0 * settings.scale
    manifest = {
        "name": settings.name,
        "classes": list(settings.classes),
        "acquisition": acquisition,
        "cells": {
            "diameter_um": [round(low, 2), round(high, 2)],
            "polarity": settings.polarity.value,
        },
    }
    text = yaml.safe_dump(manifest, sort_keys=False, default_flow_style=None)
    (place / "study.yaml").write_text(text, encoding="utf-8")
    rows = [_row(number, plan, settings) for number, plan in enumerate(plans)]
    (place / "specimens.csv").write_text(_csv(rows), encoding="utf-8")


def _row(number: int, plan: Plan, settings: SimulationSettings) -> dict[str, object]:
    measured = [""] * len(settings.classes) if plan.measured is None else plan.measured.tolist()
    names = [f"{name}_per_ul" for name in settings.classes]
    return {
        "specimen_id": plan.specimen_id,
        "donor_id": plan.donor_id,
        "role": plan.role.value,
        "cell_class": "" if plan.cell_class is None else settings.classes[plan.cell_class],
        "purity": "" if plan.purity is None else plan.purity,
        "recording": f"recordings/{recording_name(plan.specimen_id, settings)}",
        "imaged_volume_ul": plan.imaged_volume_ul,
        "dilution": DILUTION,
        "acquired_at": (FIRST_DAY + timedelta(hours=number)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "instrument_id": "simulator-1",
        **dict(zip(names, measured, strict=True)),
        "wbc_per_ul": "" if plan.total is None else plan.total,
    }


def write_truth(
    place: Path, plans: list[Plan], filmed: list[Filmed], settings: SimulationSettings
) -> None:
    """Write ``truth.csv``, ``events.csv.gz`` and ``settings.json`` into ``place``."""
    place.mkdir()
    rows = [_truth(plan, seen, settings) for plan, seen in zip(plans, filmed, strict=True)]
    (place / "truth.csv").write_text(_csv(rows), encoding="utf-8")
    events = [
        {
            "specimen_id": plan.specimen_id,
            "frame": event.frame,
            "cell": event.cell,
            "x": round(event.x, 1),
            "y": round(event.y, 1),
            "cell_class": seen.classes[event.cell],
            "crop": seen.sources[event.cell],
        }
        for plan, seen in zip(plans, filmed, strict=True)
        for event in seen.events
    ]
    columns = ["specimen_id", "frame", "cell", "x", "y", "cell_class", "crop"]
    # No time and no name in the header, so that the same study is the same file.
    raw = gzip.compress(_csv(events, columns).encode(), compresslevel=5, mtime=0)
    (place / "events.csv.gz").write_bytes(raw)
    (place / "settings.json").write_text(settings.model_dump_json(indent=2), encoding="utf-8")


def _truth(plan: Plan, seen: Filmed, settings: SimulationSettings) -> dict[str, object]:
    # Counted are the cells that were in the picture at all: with cut ends, some never were.
    visible = {event.cell for event in seen.events}
    names = [seen.classes[cell] for cell in visible]
    return {
        "specimen_id": plan.specimen_id,
        "role": Role(plan.role).value,
        "group": plan.group,
        "recovery": plan.recovery,
        "frames": seen.frames,
        "intruders": names.count("intruder"),
        **{f"{name}_cells": names.count(name) for name in settings.classes},
        **{
            f"{name}_per_ul": value
            for name, value in zip(settings.classes, plan.per_ul.tolist(), strict=True)
        },
    }


def _csv(rows: list[dict[str, Any]], columns: list[str] | None = None) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns or list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
