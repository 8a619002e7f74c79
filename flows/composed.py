"""A composition → rows of the database and a file of the cells' classes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellcensus.files import publish_file
from cellcensus.recipe import Recipe
from flows.plain import number, plain

if TYPE_CHECKING:
    import numpy as np

    from models.model import Prediction


@dataclass(frozen=True)
class Composed:
    """A prediction in plain values; the class of each cell lies in its file."""

    specimen_id: str
    values: dict[str, Any]
    rows: list[dict[str, Any]]


def publish_prediction(
    prediction: Prediction, cell_ids: np.ndarray, file: Path, extra_flags: tuple[str, ...] = ()
) -> Composed:
    """Publish the class of every cell, and give the rest as plain values."""
    _write_classes(prediction, cell_ids, file)
    flags = [*prediction.flags, *(f for f in extra_flags if f not in prediction.flags)]
    return Composed(
        prediction.specimen_id,
        values={
            "cells": int(prediction.cells),
            "total_per_ul": number(prediction.total_per_ul),
            "total_per_ul_low": number(prediction.total_per_ul_low),
            "total_per_ul_high": number(prediction.total_per_ul_high),
            "flags": flags,
            "method": prediction.method,
            "details": plain(prediction.details),
        },
        rows=[
            {"cell_class": name, "count": int(prediction.counts[i]), **_numbers(prediction, i)}
            for i, name in enumerate(prediction.classes)
        ],
    )


def prediction_values(recipe: Recipe, path: str, *, held_out: bool, **keys: int) -> dict[str, Any]:
    """The columns of a prediction that say where it comes from."""
    return {
        **keys,
        "recipe_id": recipe.id,
        "recipe": recipe.as_dict(),
        "path": path,
        "held_out": held_out,
    }


def _numbers(prediction: Prediction, index: int) -> dict[str, float | None]:
    names = (
        "fraction",
        "fraction_low",
        "fraction_high",
        "per_ul",
        "per_ul_low",
        "per_ul_high",
    )
    return {name: number(float(getattr(prediction, name)[index])) for name in names}


def _write_classes(prediction: Prediction, cell_ids: np.ndarray, file: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table(
        {
            "cell_id": pa.array(cell_ids, pa.int32()),
            "cell_class": pa.array(prediction.cell_class, pa.int8()),
            "probability": pa.array(prediction.probability, pa.float32()),
        }
    ).replace_schema_metadata({"classes": "\n".join(prediction.classes)})
    with publish_file(file) as temporary:
        parquet.write_table(table, temporary)
