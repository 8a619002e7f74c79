"""Recipes: what a result of each stage is made from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from cellcensus.addresses import is_address
from cellcensus.errors import RecordingError
from cellcensus.recipe import Recipe, hash_file, hash_paths
from cellcensus.settings import Settings
from cellcensus.study import Role, Specimen, Study
from models.generations import PREDICT, TRAIN
from pipeline.generations import INGEST


@dataclass(frozen=True, slots=True)
class RecordingFiles:
    """The files of one recording, with what tells cheaply whether they were touched."""

    files: tuple[Path, ...]
    size: int
    stamp: str

    def sha256(self) -> str:
        """Identity of the content, over all files in order."""
        return hash_file(self.files[0]) if len(self.files) == 1 else hash_paths(list(self.files))


class Found(Protocol):
    """A recording that is there, and what tells cheaply whether it is still the same."""

    @property
    def files(self) -> tuple[Path, ...]:
        """Its files in the study folder; none of a recording in a storage."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def stamp(self) -> str:
        """Changes whenever the recording may have changed."""

    def sha256(self) -> str:
        """Identity of the content."""


def find_recording(folder: Path, recording: str, settings: Settings | None = None) -> Found:
    """The files a recording consists of: one file, the files of a folder, or those of a glob.

    ``settings`` say which storages may be asked; those of the environment if not given.

    Raises
    ------
    RecordingError
        There is none, or it may not be read.
    StoreError
        It lies in a storage that cannot be reached.
    """
    if is_address(recording):
        from flows.storage import find

        return find(recording, settings or Settings())
    try:
        files = _files(folder, recording)
        stats = [file.stat() for file in files]
    except (OSError, ValueError) as error:
        raise _missing(recording, f"the recording cannot be read ({error})") from error
    if not files:
        raise _missing(recording, "the recording is not there")
    digest = hashlib.sha256()
    for file, stat in zip(files, stats, strict=True):
        digest.update(f"{file.name}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
    return RecordingFiles(tuple(files), sum(stat.st_size for stat in stats), digest.hexdigest())


def _files(folder: Path, recording: str) -> list[Path]:
    path = folder / recording
    if path.is_file():
        return [path]
    if path.is_dir():
        return sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
    if any(sign in recording for sign in "*?["):
        return sorted(p for p in folder.glob(recording) if p.is_file())
    return []


def _missing(recording: str, message: str) -> RecordingError:
    return RecordingError(
        message,
        code="missing_recording",
        file=recording,
        next_step="put the recording where the sheet says, or correct the sheet; then repeat",
    )


def ingest_recipe(study: Study, specimen: Specimen, sha256: str, settings: Settings) -> Recipe:
    """Recording → cells."""
    return Recipe(
        "ingest",
        INGEST,
        inputs={
            "recording": sha256,
            "acquisition": asdict(study.acquisition),
            "cells": asdict(study.cells),
            "expects_cells": specimen.role is not Role.BLANK,
        },
        settings=settings.ingest.model_dump(mode="json"),
    )


def known_of(specimen: Specimen) -> dict[str, Any]:
    """What the sheet says of a specimen's composition, as plain values."""
    return {
        "role": specimen.role.value,
        "cell_class": specimen.cell_class,
        "purity": specimen.purity,
        "wbc_per_ul": specimen.wbc_per_ul,
        "per_ul": dict(specimen.per_ul),
        "percent": dict(specimen.percent),
        "cv": dict(specimen.cv),
    }


def bag_identity(study: str, specimen: Specimen, cells: str) -> dict[str, Any]:
    """What a model learns from one specimen."""
    return {
        "study": study,
        "specimen_id": specimen.specimen_id,
        "donor_id": specimen.donor_id,
        "instrument_id": specimen.instrument_id,
        "imaged_volume_ul": specimen.imaged_volume_ul,
        "dilution": specimen.dilution,
        "cells": cells,
        **known_of(specimen),
    }


def train_recipe(
    bags: Sequence[Mapping[str, Any]], classes: Sequence[str], settings: Settings
) -> Recipe:
    """Cells and what is known → model."""
    return Recipe(
        "model",
        TRAIN,
        inputs={"classes": list(classes), "bags": [dict(bag) for bag in bags]},
        settings={
            "training": settings.training.model_dump(mode="json"),
            "composition": settings.composition.model_dump(mode="json"),
        },
    )


def predict_recipe(
    specimen: Specimen, cells: str, model_sha256: str, settings: Settings, *, held_out: bool
) -> Recipe:
    """Cells and model → composition."""
    return Recipe(
        "predict",
        PREDICT,
        inputs={
            "cells": cells,
            "model": model_sha256,
            "imaged_volume_ul": specimen.imaged_volume_ul,
            "dilution": specimen.dilution,
            "instrument_id": specimen.instrument_id,
            "held_out": held_out,
        },
        settings=settings.composition.model_dump(mode="json"),
    )
