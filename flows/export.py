"""What leaves the house: predictions, cells, FHIR and HL7."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cellcensus.files import publish_file
from db.predictions import current_predictions
from db.studies import find_study
from flows.classified import read_classes
from flows.contents import specimen_content
from flows.context import Context
from flows.subjects import gather

PREDICTION_COLUMNS = (
    "study",
    "specimen_id",
    "donor_id",
    "role",
    "model_id",
    "cell_class",
    "cells",
    "fraction",
    "fraction_low",
    "fraction_high",
    "per_ul",
    "per_ul_low",
    "per_ul_high",
    "flags",
)
CELL_COLUMNS = (
    "study",
    "specimen_id",
    "cell_id",
    "first_frame",
    "last_frame",
    "best_frame",
    "x",
    "y",
    "width",
    "height",
    "area_um2",
    "cell_class",
    "probability",
    "flags",
)
_ESTIMATES = PREDICTION_COLUMNS[7:13]
_MEASURED = CELL_COLUMNS[2:11]
_BATCH = 20_000

Row = Mapping[str, Any]


def prediction_rows(ctx: Context, study: str) -> Iterator[dict[str, Any]]:
    """One row a specimen and class, of the predictions in force; missing numbers are None.

    Raises
    ------
    UsageError
        There is no study of that name.
    """
    with ctx.store.reading() as session:
        found = current_predictions(session, find_study(session, study).key)
    for current in found:
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


def cell_rows(ctx: Context, study: str) -> Iterator[dict[str, Any]]:
    """One row a unique cell; class and probability are None before prediction.

    One specimen is in memory at a time.

    Raises
    ------
    UsageError
        There is no study of that name.
    """
    from pipeline.cells import read_cells

    with ctx.store.reading() as session:
        _, subjects = gather(session, study)
    for subject in subjects:
        cell_file = subject.current.cell_file if subject.current else subject.cell_file
        if cell_file is None:
            continue
        table = read_cells(ctx.home / cell_file.path).table
        classes, probabilities = _classes(ctx, subject.current, len(table["cell_id"]))
        columns = [_values(table[name]) for name in _MEASURED]
        flags = _values(table["flags"])
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
    return _write(prediction_rows(ctx, study), PREDICTION_COLUMNS, format_, Path(out))


def export_cells(ctx: Context, study: str, format_: str, out: Path) -> int:
    """Write :func:`cell_rows` to ``out``; how many rows."""
    return _write(cell_rows(ctx, study), CELL_COLUMNS, format_, Path(out))


def export_fhir(ctx: Context, study: str, out: Path) -> int:
    """Write a FHIR R4 bundle of all predicted specimens to ``out``; how many specimens."""
    from reports.fhir import bundles

    contents = _contents(ctx, study)
    text = json.dumps(bundles(contents, ctx.settings.reports), indent=1, ensure_ascii=False)
    return _write_text(text, Path(out), len(contents))


def export_hl7(ctx: Context, study: str, out: Path) -> int:
    """Write one HL7 v2.5.1 ORU^R01 message a predicted specimen to ``out``; how many."""
    from reports.hl7 import messages

    contents = _contents(ctx, study)
    return _write_text(messages(contents, ctx.settings.reports), Path(out), len(contents))


def _contents(ctx: Context, study: str) -> list[Any]:
    settings = ctx.settings.model_copy(
        update={"reports": ctx.settings.reports.model_copy(update={"gallery_cells": 0})}
    )
    with ctx.store.reading() as session:
        _, subjects = gather(session, study)
    return [
        specimen_content(subject, ctx.home, settings)
        for subject in subjects
        if subject.current is not None
    ]


def _classes(ctx: Context, current: Any, number: int) -> tuple[Sequence[Any], Sequence[Any]]:
    if current is None:
        return [None] * number, [None] * number
    classified = read_classes(ctx.home / current.prediction.path)
    names = [classified.name(index) for index in range(len(classified.cell_id))]
    return names, _values(classified.probability)


def _values(column: Any) -> list[Any]:
    values = column.tolist()
    if column.dtype.kind != "f":
        return list(values)
    # The shortest text that gives the same float32 back: more digits would be invented.
    short = [float(str(value)) for value in column] if column.dtype.itemsize == 4 else values
    return [None if math.isnan(value) else value for value in short]


def _write(rows: Iterable[Row], columns: Sequence[str], format_: str, out: Path) -> int:
    writer = {"csv": _write_csv, "json": _write_json, "parquet": _write_parquet}[format_]
    return _published(out, lambda temporary: writer(rows, columns, temporary))


def _published(out: Path, write: Callable[[Path], int]) -> int:
    with publish_file(out) as temporary:
        return write(temporary)


def _write_text(text: str, out: Path, number: int) -> int:
    def write(temporary: Path) -> int:
        temporary.write_text(text, encoding="utf-8", newline="")
        return number

    return _published(out, write)


def _write_csv(rows: Iterable[Row], columns: Sequence[str], file: Path) -> int:
    number = 0
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        for row in rows:
            writer.writerow(row)
            number += 1
    return number


def _write_json(rows: Iterable[Row], columns: Sequence[str], file: Path) -> int:
    number = 0
    with file.open("w", encoding="utf-8") as stream:
        stream.write("[")
        for row in rows:
            stream.write(",\n" if number else "\n")
            json.dump({name: row[name] for name in columns}, stream, ensure_ascii=False)
            number += 1
        stream.write("\n]\n")
    return number


def _write_parquet(rows: Iterable[Row], columns: Sequence[str], file: Path) -> int:
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema([(name, _kind(name)) for name in columns])
    number, batch = 0, []
    with parquet.ParquetWriter(file, schema) as writer:
        for row in rows:
            batch.append(dict(row))
            number += 1
            if len(batch) == _BATCH:
                writer.write_table(pa.Table.from_pylist(batch, schema))
                batch = []
        if batch or not number:
            writer.write_table(pa.Table.from_pylist(batch, schema))
    return number


def _kind(column: str) -> Any:
    import pyarrow as pa

    texts = {"study", "specimen_id", "donor_id", "role", "model_id", "cell_class", "flags"}
    whole = {"cells", "cell_id", "first_frame", "last_frame", "best_frame"}
    if column in texts:
        return pa.string()
    return pa.int64() if column in whole else pa.float64()
