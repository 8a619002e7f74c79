"""What leaves the house: predictions, cells, FHIR and HL7."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellcensus.errors import StoreError, UsageError
from cellcensus.files import publish_file
from db.findings import quarantined
from db.predictions import Current
from db.review import released_versions
from db.studies import find_study
from db.tables import ReportVersion
from flows.classified import read_classes
from flows.context import Context
from flows.documents import reported_content
from flows.keptcells import kept_cells
from flows.plain import number
from flows.released import released_content
from flows.subjects import gather
from reports.tables import CELLS, PREDICTIONS, Column, write_table

if TYPE_CHECKING:
    from cellcensus.settings import ReportSettings
    from reports.content import SpecimenReport

_ESTIMATES = tuple(column.name for column in PREDICTIONS[7:13])
_MEASURED = tuple(column.name for column in CELLS[2:11])


def prediction_rows(ctx: Context, study: str) -> Iterator[dict[str, Any]]:
    """One row a specimen and class; missing numbers are None.

    Of the released report where there is one, else of the prediction in force.

    Raises
    ------
    UsageError
        There is no study of that name.
    AlteredError
        A released report does not say what was signed.
    """
    with ctx.store.reading() as session:
        _, subjects = gather(session, study)
    for subject in subjects:
        if subject.released is not None:
            yield from _released_rows(_as_signed(ctx, subject.released.key))
        elif subject.current is not None:
            yield from _predicted_rows(study, subject.current)


def _as_signed(ctx: Context, version_key: int) -> SpecimenReport:
    # One at a time: what was signed covers its pictures, and those of a study need not fit.
    with ctx.store.reading() as session:
        return released_content(session, session.get_one(ReportVersion, version_key))


def _predicted_rows(study: str, current: Current) -> Iterator[dict[str, Any]]:
    flags = list(current.prediction.flags)
    if current.prediction.held_out:
        flags.append("held_out")
    for row in current.prediction.rows:
        yield {
            "study": study,
            "specimen_id": current.specimen_id,
            "donor_id": current.sheet.donor_id,
            "role": current.sheet.role,
            "model_id": current.model.model_id,
            "cell_class": row.cell_class,
            "cells": current.prediction.cells,
            **{name: getattr(row, name) for name in _ESTIMATES},
            "flags": ";".join(flags),
        }


def _released_rows(content: SpecimenReport) -> Iterator[dict[str, Any]]:
    flags = [*content.flags, *(["held_out"] if content.held_out else [])]
    for row in content.rows:
        ends = ("value", "low", "high")
        values = [number(getattr(e, end)) for e in (row.fraction, row.per_ul) for end in ends]
        yield {
            "study": content.study,
            "specimen_id": content.specimen_id,
            "donor_id": content.donor_id,
            "role": content.role,
            "model_id": content.model.model_id if content.model else None,
            "cell_class": row.cell_class,
            "cells": content.cells,
            **dict(zip(_ESTIMATES, values, strict=True)),
            "flags": ";".join(flags),
        }


def cell_rows(ctx: Context, study: str) -> Iterator[dict[str, Any]]:
    """One row a unique cell; class and probability are None before prediction.

    One specimen is in memory at a time.

    Raises
    ------
    UsageError
        There is no study of that name.
    """
    from pipeline.cells import TABLE, read_columns

    with ctx.store.reading() as session:
        _, subjects = gather(session, study)
    for subject in subjects:
        cell_file = subject.current.cell_file if subject.current else subject.cell_file
        if cell_file is None:
            continue
        with kept_cells(ctx.settings, cell_file.path).folder(TABLE) as folder:
            table = read_columns(folder)
        classes, probabilities = _classes(ctx, subject.current, len(table["cell_id"]))
        columns = [list(table[name]) for name in _MEASURED]
        flags = list(table["flags"])
        for index, measured in enumerate(zip(*columns, strict=True)):
            yield {
                "study": study,
                "specimen_id": subject.specimen.specimen_id,
                **dict(zip(_MEASURED, measured, strict=True)),
                "cell_class": classes[index],
                "probability": probabilities[index],
                "flags": flags[index],
            }


def export_predictions(ctx: Context, study: str, format_: str, out: Path) -> int:
    """Write :func:`prediction_rows` to ``out``; how many rows."""
    return _write(prediction_rows(ctx, study), PREDICTIONS, format_, Path(out))


def export_cells(ctx: Context, study: str, format_: str, out: Path) -> int:
    """Write :func:`cell_rows` to ``out``; how many rows."""
    return _write(cell_rows(ctx, study), CELLS, format_, Path(out))


def export_fhir(ctx: Context, study: str, out: Path) -> int:
    """Write a FHIR R4 bundle of all reported specimens to ``out``; how many specimens.

    A released report goes out as it was signed, what is not released as ``preliminary``.
    """
    from reports.fhir import bundles

    contents = _contents(ctx, study)
    text = json.dumps(bundles(contents), indent=1, ensure_ascii=False, allow_nan=False)
    return _write_text(text, Path(out), len(contents))


def export_hl7(ctx: Context, study: str, out: Path) -> int:
    """Write one HL7 v2.5.1 ORU^R01 message a reported specimen to ``out``; how many."""
    from reports.hl7 import messages

    contents = _contents(ctx, study)
    return _write_text(messages(contents), Path(out), len(contents))


def _contents(ctx: Context, study: str) -> list[tuple[SpecimenReport, ReportSettings]]:
    with ctx.store.reading() as session:
        _, subjects = gather(session, study)
        found = [reported_content(session, ctx.settings, subject) for subject in subjects]
    return [one for one in found if one is not None]


def _classes(ctx: Context, current: Any, number: int) -> tuple[Sequence[Any], Sequence[Any]]:
    if current is None:
        return [None] * number, [None] * number
    classified = read_classes(ctx.home / current.prediction.path)
    names = [classified.name(index) for index in range(len(classified.cell_id))]
    return names, list(classified.probability)


def _write(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[Column], format_: str, out: Path
) -> int:
    return _published(out, lambda temporary: write_table(rows, columns, format_, temporary))


def left_out(ctx: Context, study: str) -> dict[str, str]:
    """Why a specimen has no rows: ``specimen_id`` → reason, of those that are quarantined."""
    with ctx.store.reading() as session:
        key = find_study(session, study).key
        aside, released = quarantined(session, key), released_versions(session, key)
    return {q.specimen_id: q.reason for q in aside if q.specimen_id not in released}


def _published(out: Path, write: Callable[[Path], int]) -> int:
    if out.exists() and not out.is_file():
        raise UsageError(
            "this is no ordinary file, and is not replaced", file=out, next_step="name a new file"
        )
    try:
        with publish_file(out) as temporary:
            return write(temporary)
    except OSError as error:
        raise StoreError(
            f"the file cannot be written: {error.strerror or error}",
            file=out,
            next_step="name another place with --out, or make room",
        ) from error


def _write_text(text: str, out: Path, number: int) -> int:
    def write(temporary: Path) -> int:
        temporary.write_text(text, encoding="utf-8", newline="")
        return number

    return _published(out, write)
