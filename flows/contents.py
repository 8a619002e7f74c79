"""Rows and cells → what a report shows of one specimen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellcensus import __version__
from cellcensus.findings import Finding
from cellcensus.settings import Settings
from cellcensus.study import Specimen, Study
from db.predictions import Current
from db.tables import CellFile, ModelVersion, ReportVersion
from db.types import utc_now
from flows.classified import read_classes
from flows.gallery import gallery
from flows.keptcells import kept_cells
from flows.plain import back
from flows.recounted import CORRECTED_FLAG, recounted
from flows.reference import reference_fraction, reference_per_ul

if TYPE_CHECKING:
    from reports.content import (
        ClassRow,
        Estimate,
        ModelIdentity,
        SpecimenReport,
    )


@dataclass(frozen=True)
class Subject:
    """A specimen with all that is stored of it.

    ``released`` is the signed report in force. ``corrections`` are a person's classes of single
    cells; they are given only to draw the report that is being signed.
    """

    study: Study
    specimen: Specimen
    cell_file: CellFile | None
    current: Current | None
    findings: tuple[Finding, ...]
    released: ReportVersion | None = None
    corrections: Mapping[int, str] = field(default_factory=dict)


def specimen_content(subject: Subject, home: Path, settings: Settings) -> SpecimenReport:
    """Everything shown about one specimen, gallery and preview included."""
    from reports.content import SpecimenReport

    specimen = subject.specimen
    return SpecimenReport(
        study=subject.study.name,
        specimen_id=specimen.specimen_id,
        donor_id=specimen.donor_id,
        role=specimen.role.value,
        generated_at=utc_now(),
        acquired_at=specimen.acquired_at,
        instrument_id=specimen.instrument_id,
        recording=specimen.recording,
        analyser_total_per_ul=back(specimen.wbc_per_ul),
        imaged_volume_ul=specimen.imaged_volume_ul,
        dilution=specimen.dilution,
        findings=subject.findings,
        software_version=__version__,
        laboratory=settings.reports.laboratory,
        **_of_cells(subject.cell_file, settings),
        **_of_prediction(subject, home, settings),
    )


def model_identity(model: ModelVersion) -> ModelIdentity:
    """Which model it was, and what it learned from."""
    from reports.content import ModelIdentity

    return ModelIdentity(
        model_id=model.model_id,
        sha256=model.sha256,
        generation=model.recipe.get("generation"),
        trained_at=model.created_at,
        studies=tuple(sorted({t["study"] for t in model.trained_on})),
        donors=len({(t["study"], t["donor_id"]) for t in model.trained_on if t["role"] == "mixed"}),
    )


def recipes_of(subject: Subject) -> dict[str, str]:
    """Stage → recipe id, of everything that led to what is shown."""
    recipes = {}
    if subject.cell_file is not None:
        recipes["ingest"] = subject.cell_file.recipe_id
    if subject.current is not None:
        recipes["ingest"] = subject.current.cell_file.recipe_id
        recipes["train"] = subject.current.model.model_id
        recipes["predict"] = subject.current.prediction.recipe_id
    return recipes


def _of_cells(cell_file: CellFile | None, settings: Settings) -> dict[str, Any]:
    if cell_file is None:
        return {}
    with kept_cells(settings, cell_file.path).folder() as folder:
        preview = folder / "preview.jpg"
        return {
            "quality": _figures(cell_file.quality),
            "window_um": cell_file.quality.get("window_um"),
            "preview": preview.read_bytes() if preview.is_file() else None,
        }


def _figures(quality: Mapping[str, Any]) -> dict[str, float | int | str | None]:
    """The single figures of a recording, those of inner groups too."""
    figures: dict[str, float | int | str | None] = {}
    for name, value in quality.items():
        if isinstance(value, Mapping):
            figures.update(_figures(value))
        elif value is None or isinstance(value, (int, float, str)):
            figures[name] = value
    return figures


def _of_prediction(subject: Subject, home: Path, settings: Settings) -> dict[str, Any]:
    current = subject.current
    if current is None:
        cells = subject.cell_file.n_cells if subject.cell_file else 0
        return {"cells": cells, "recipes": recipes_of(subject)}
    prediction = current.prediction
    counted = recounted(prediction, read_classes(home / prediction.path), subject.corrections)
    return {
        "rows": tuple(_row(row, subject) for row in counted.rows),
        "cells": counted.cells,
        "unclassified": counted.unclassified,
        "artefacts": counted.artefacts,
        "total_per_ul": estimate(counted, "total_per_ul"),
        "flags": (*prediction.flags, *([CORRECTED_FLAG] if counted.moved else [])),
        "method": prediction.method,
        "held_out": prediction.held_out,
        "gallery": gallery(
            counted.classified,
            kept_cells(settings, current.cell_file.path),
            settings.reports.gallery_cells,
        ),
        "model": model_identity(current.model),
        "recipes": recipes_of(subject),
    }


def _row(row: Any, subject: Subject) -> ClassRow:
    from reports.content import ClassRow

    classes = subject.study.classes
    known = row.cell_class in classes
    return ClassRow(
        row.cell_class,
        row.count,
        estimate(row, "fraction"),
        estimate(row, "per_ul"),
        reference_fraction(subject.specimen, row.cell_class, classes) if known else math.nan,
        reference_per_ul(subject.specimen, row.cell_class),
    )


def estimate(row: Any, name: str) -> Estimate:
    """A value and its interval from the three columns of a row."""
    from reports.content import Estimate

    return Estimate(*(back(getattr(row, name + end)) for end in ("", "_low", "_high")))
