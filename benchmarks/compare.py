"""Compare exported predictions and cells with a truth folder.

    python -m benchmarks.compare --predictions predictions.csv --cells cells.csv --truth DIR

``predictions.csv`` and ``cells.csv`` are what ``cellcensus export predictions|cells`` write; either
may be left out; ``--json`` prints the same for machines. Errors of fractions are in points
(hundredths of the whole), of counts and concentrations in percent. Fractions are judged on
``unknown`` specimens, counts on all.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.truth import SpecimenTruth, Truth, read_truth

COUNT_LIMIT = 5.0  # percent
QUANTITIES = (
    "fraction", "fraction_low", "fraction_high", "per_ul", "per_ul_low", "per_ul_high", "cells",
)  # fmt: skip
Values = dict[str, np.ndarray]


def read_predictions(path: Path, classes: tuple[str, ...]) -> dict[str, Values]:
    """Export → specimen → quantity → (K,) in the order of ``classes``; NaN where empty.

    Raises
    ------
    ValueError
        If a specimen has a class that the truth does not know, or has one twice.
    """
    table: dict[str, Values] = {}
    seen: set[tuple[str, str]] = set()
    for row in _rows(path):
        key = (row["specimen_id"], row["cell_class"])
        if key[1] not in classes or key in seen:
            raise ValueError(f"{path}: unexpected row of {key[0]}, {key[1]}")
        seen.add(key)
        new = {name: np.full(len(classes), np.nan) for name in QUANTITIES}
        values = table.setdefault(key[0], new)
        for name in QUANTITIES:
            values[name][classes.index(key[1])] = float(row.get(name) or "nan")
    return table


def read_counts(path: Path) -> Counter[str]:
    """Export of cells → unique cells of each specimen, artefacts left out."""
    rows = _rows(path)
    return Counter(r["specimen_id"] for r in rows if r.get("cell_class") != "artefact")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def compare(
    truth: Truth, predictions: dict[str, Values] | None, counts: Counter[str] | None
) -> dict[str, Any]:
    """Everything measured, as plain values for JSON."""
    result: dict[str, Any] = {"classes": list(truth.classes)}
    if predictions is not None:
        unknown = [t for t in truth.specimens.values() if t.role == "unknown"]
        judged = [t for t in unknown if t.specimen_id in predictions]
        result["unknown"] = len(unknown)
        result["missing"] = [t.specimen_id for t in unknown if t.specimen_id not in predictions]
        if judged:
            result["fractions"] = _fractions(truth.classes, judged, predictions)
            result["concentrations"] = _concentrations(truth.classes, judged, predictions)
        counts = counts or _predicted_counts(predictions)
    if counts is not None:
        result["counts"] = _counts(truth, counts)
    return result


def _fractions(
    classes: tuple[str, ...], judged: list[SpecimenTruth], predictions: dict[str, Values]
) -> dict[str, Any]:
    said = {name: _stack(judged, predictions, name) for name in QUANTITIES[:3]}
    blood = np.stack([t.blood_fraction for t in judged])
    cells = np.stack([t.cell_fraction for t in judged])
    errors = 100 * np.abs(said["fraction"] - blood)
    inside = (said["fraction_low"] <= blood) & (blood <= said["fraction_high"])
    mean = np.nanmean(errors, axis=0)
    groups: dict[str, list[int]] = defaultdict(list)
    for i, specimen in enumerate(judged):
        groups[specimen.group or "all"].append(i)
    return {
        "blood": _named(classes, mean),
        "cells": _named(classes, np.nanmean(100 * np.abs(said["fraction"] - cells), axis=0)),
        "bias": _named(classes, np.nanmean(100 * (said["fraction"] - blood), axis=0)),
        "worst": _named(classes, np.nanmax(errors, axis=0)),
        "worst_class": classes[int(np.nanargmax(mean))],
        "worst_class_error": float(np.nanmax(mean)),
        "mean_error": float(np.nanmean(mean)),
        # The floor: what a perfect classifier of the filmed cells would still be wrong by.
        "sampling_floor": _named(classes, np.nanmean(100 * np.abs(cells - blood), axis=0)),
        "groups": {
            name: {**_named(classes, np.nanmean(errors[rows], axis=0)), "specimens": len(rows)}
            for name, rows in sorted(groups.items())
        },
        "coverage": _named(classes, inside.mean(axis=0)),
        "coverage_all": float(inside.mean()),
        "width": _named(
            classes, np.nanmean(100 * (said["fraction_high"] - said["fraction_low"]), axis=0)
        ),
        "sum_deviation": float(np.nanmax(np.abs(said["fraction"].sum(axis=1) - 1))),
    }


def _concentrations(
    classes: tuple[str, ...], judged: list[SpecimenTruth], predictions: dict[str, Values]
) -> dict[str, Any]:
    said, low, high = (_stack(judged, predictions, name) for name in QUANTITIES[3:6])
    true = np.stack([t.per_ul for t in judged])
    total = 100 * np.abs(said.sum(axis=1) - true.sum(axis=1)) / true.sum(axis=1)
    inside = (low <= true) & (true <= high)
    # Summed before dividing: single specimens may truly have none of a rare class.
    relative = 100 * _column_mean(np.abs(said - true)) / true.mean(axis=0)
    return {
        "total_percent": _finite(_column_mean(total[:, None])[0]),
        "total_percent_worst": _finite(np.nanmax(total) if np.isfinite(total).any() else np.nan),
        "per_ul": _named(classes, _column_mean(np.abs(said - true))),
        "percent_of_mean": _named(classes, relative),
        "coverage": _named(classes, inside.mean(axis=0)),
    }


def _counts(truth: Truth, counts: Counter[str]) -> dict[str, Any]:
    errors, blanks = {}, {}
    for name, specimen in truth.specimens.items():
        if specimen.count == 0:
            blanks[name] = counts.get(name, 0)
        elif name in counts:
            errors[name] = 100 * (counts[name] - specimen.count) / specimen.count
    missing = [n for n, t in truth.specimens.items() if t.count and n not in counts]
    sizes = np.abs(list(errors.values())) if errors else np.array([np.nan])
    return {
        "specimens": len(errors),
        "missing": missing,
        "mean_percent": _finite(sizes.mean()),
        "worst_percent": _finite(sizes.max()),
        "bias_percent": _finite(np.mean(list(errors.values())) if errors else np.nan),
        "over_limit": {n: round(e, 2) for n, e in errors.items() if abs(e) > COUNT_LIMIT},
        "blanks": blanks,
    }


def _predicted_counts(predictions: dict[str, Values]) -> Counter[str]:
    return Counter({name: int(np.nansum(v["cells"])) for name, v in predictions.items()})


def _stack(judged: list[SpecimenTruth], predictions: dict[str, Values], name: str) -> np.ndarray:
    return np.stack([predictions[t.specimen_id][name] for t in judged])


def _column_mean(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    sums = np.where(known, values, 0).sum(axis=0)
    return np.where(known.any(axis=0), sums / np.maximum(known.sum(axis=0), 1), np.nan)


def _named(classes: tuple[str, ...], values: np.ndarray) -> dict[str, float | None]:
    return {name: _finite(value) for name, value in zip(classes, values, strict=True)}


def _finite(value: float | np.floating[Any]) -> float | None:
    return round(float(value), 4) if math.isfinite(value) else None


def print_comparison(result: dict[str, Any]) -> None:
    """The result as tables for people."""
    if "missing" in result:
        missing = " ".join(result["missing"]) or "none"
        print(f"unknown specimens: {result['unknown']}, not predicted: {missing}\n")
    if "fractions" in result:
        _print_fractions(result["classes"], result["fractions"], result["concentrations"])
    if "counts" in result:
        _print_counts(result["counts"])


def _print_fractions(classes: list[str], f: dict[str, Any], c: dict[str, Any]) -> None:
    columns: dict[str, dict[str, float | None]] = {
        "vs blood": f["blood"],
        "vs cells": f["cells"],
        "floor": f["sampling_floor"],
        "bias": f["bias"],
        "worst": f["worst"],
        **f["groups"],
        "width": f["width"],
        "cover %": {name: 100 * f["coverage"][name] for name in classes},
        "per µL %": c["percent_of_mean"],
    }
    print("mean absolute error of fractions, points")
    print(f"{'':14s}" + "".join(f"{title:>10s}" for title in columns))
    for name in classes:
        cells = "".join(_cell(values[name]) for values in columns.values())
        print(f"{name:14s}{cells}")
    print(f"\nworst class: {f['worst_class']} {f['worst_class_error']:.2f} points")
    print(f"mean of classes: {f['mean_error']:.2f} points")
    print(f"intervals that hold the truth: {100 * f['coverage_all']:.0f} % (stated: 95 %)")
    print(f"total per µL: mean error{_cell(c['total_percent'])} %,", end=" ")
    print(f"worst{_cell(c['total_percent_worst'])} %\n")


def _cell(value: float | None) -> str:
    return f"{'-':>10s}" if value is None else f"{value:10.2f}"


def _print_counts(counts: dict[str, Any]) -> None:
    print(f"unique cells, {counts['specimens']} specimens with cells: mean error", end="")
    print(f"{_cell(counts['mean_percent'])} %, worst{_cell(counts['worst_percent'])} %,", end="")
    print(f" bias{_cell(counts['bias_percent'])} %")
    over = ", ".join(f"{name} {error:+.1f} %" for name, error in counts["over_limit"].items())
    print(f"over {COUNT_LIMIT:g} %: {over or 'none'}; missing: {counts['missing'] or 'none'}")
    print(f"cells in blanks: {counts['blanks']}")


def main(arguments: list[str] | None = None) -> int:
    """Command line; 0 if anything could be compared."""
    parser = argparse.ArgumentParser(description="Compare an export with a truth folder.")
    parser.add_argument("--predictions", type=Path)
    parser.add_argument("--cells", type=Path)
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if not options.predictions and not options.cells:
        parser.error("give --predictions, --cells or both")
    truth = read_truth(options.truth)
    predictions = options.predictions and read_predictions(options.predictions, truth.classes)
    counts = options.cells and read_counts(options.cells)
    result = compare(truth, predictions or None, counts or None)
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        print_comparison(result)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
