"""Invented contents, plausible enough to look at and small enough to compute by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from cellcensus.findings import Finding, Level
from reports.content import (
    UNCLASSIFIED,
    CapacityPoint,
    CellPicture,
    ClassRow,
    CoursePoint,
    Estimate,
    ExampleCell,
    ExampleShelf,
    Foresight,
    GalleryClass,
    LearningPoint,
    MethodError,
    ModelIdentity,
    Pair,
    Quarantined,
    Signature,
    SpecimenLine,
    SpecimenReport,
    Status,
    StudyReport,
)

CLASSES = ("neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil")
MOMENT = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
MODEL = ModelIdentity("model-1-3f2a90c4d1e8", "ab" * 32, 1, MOMENT, ("realcells",), 24)


def cell_picture(seed: int, size: int = 48, probability: float = 0.97) -> CellPicture:
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - size / 2
    radius = 9 + 5 * random.random()
    body = 60 * (np.hypot(x, y) < radius) + 35 * (
        np.hypot(x - 3 * random.normal(), y - 3 * random.normal()) < radius / 2
    )
    noise = random.normal(0, 4, (size, size))
    return CellPicture(seed, np.clip(128 - body + noise, 0, 255).astype(np.uint8), probability)


def preview() -> bytes:
    import cv2

    random = np.random.default_rng(3)
    frame = np.clip(random.normal(190, 5, (240, 480)), 0, 255).astype(np.uint8)
    for _ in range(12):
        place = (int(random.integers(20, 460)), int(random.integers(20, 220)))
        cv2.circle(frame, place, int(random.integers(8, 14)), 110, -1)
    return bytes(cv2.imencode(".jpg", frame)[1].tobytes())


def rows() -> tuple[ClassRow, ...]:
    fractions = [(0.581, 0.55, 0.612), (0.288, 0.26, 0.318), (0.0788, 0.064, 0.096)]
    fractions += [(0.0472, 0.036, 0.061), (0.005, 0.0, 0.013)]
    counts = (603, 299, 82, 49, 5)
    return tuple(
        ClassRow(
            name,
            count,
            Estimate(*fraction),
            Estimate(*(value * 11240 for value in fraction)),
            analyser_fraction=fraction[0] + 0.012,
        )
        for name, count, fraction in zip(CLASSES, counts, fractions, strict=True)
    )


def specimen(**changes: object) -> SpecimenReport:
    values: dict[str, object] = {
        "study": "realcells",
        "specimen_id": "U039",
        "donor_id": "D039",
        "role": "unknown",
        "generated_at": MOMENT,
        "acquired_at": MOMENT,
        "instrument_id": "bench-1",
        "rows": rows(),
        "cells": 1038,
        "unclassified": 14,
        "artefacts": 31,
        "total_per_ul": Estimate(11240, 10430, 12080),
        "imaged_volume_ul": 0.64412,
        "dilution": 20.0,
        "flags": ("few_cells", "out_of_this_world"),
        "quality": {
            "focus_median": 0.8213,
            "share_touching": 0.042,
            "n_frames": 412,
            "height": 480.0,
            "x": None,
        },
        "findings": (Finding(Level.ALERT, "focus_drift", "Focus drifted.", "Refocus.", "U039"),),
        "preview": preview(),
        "gallery": (*class_shelves(), strange_shelf(14)),
        "window_um": 24.0,
        "model": MODEL,
        "recipes": {"ingest": "ingest-1-3f2a90c4d1e8", "predict": "predict-1-99aabbccddee"},
        "software_version": "0.1.0",
        "laboratory": "Haematology, Example Hospital",
        "method": "emq",
    }
    return SpecimenReport(**{**values, **changes})  # type: ignore[arg-type]


def class_shelves() -> tuple[GalleryClass, ...]:
    return tuple(
        GalleryClass(
            name,
            tuple(cell_picture(20 * i + j, probability=0.99) for j in range(8)),
            tuple(cell_picture(20 * i + j + 10, probability=0.52) for j in range(8)),
        )
        for i, name in enumerate(CLASSES)
    )


def strange_shelf(cells: int) -> GalleryClass:
    shown = (cell_picture(700 + i, probability=0.98 - 0.03 * i) for i in range(cells))
    return GalleryClass(UNCLASSIFIED, uncertain=tuple(shown))


SIGNATURE = Signature("A. Reviewer", "released", MOMENT, "cd" * 32)


def signed(**changes: object) -> SpecimenReport:
    """A final report, or of another ``status`` and ``version``."""
    values = {"status": Status.FINAL, "signature": SIGNATURE, **changes}
    return specimen(**values)


def pairs(donors: int = 24) -> tuple[Pair, ...]:
    random = np.random.default_rng(7)
    made = []
    for donor in range(donors):
        truth = random.dirichlet([30, 18, 4, 2, 0.6])
        guess = np.abs(truth + random.normal(0, [0.02, 0.02, 0.01, 0.006, 0.003]))
        guess /= guess.sum()
        for name, p, q in zip(CLASSES, truth, guess, strict=True):
            half = 2 * float(np.sqrt(q * (1 - q) / 600 + 0.0001))
            made.append(
                Pair(
                    f"M{donor:03}",
                    f"D{donor:03}",
                    name,
                    Estimate(float(q), max(float(q) - half, 0), float(q) + half),
                    float(p),
                )
            )
    return tuple(made)


def study(**changes: object) -> StudyReport:
    values: dict[str, object] = {
        "study": "realcells",
        "classes": CLASSES,
        "generated_at": MOMENT,
        "specimens": tuple(_line(i) for i in range(24)),
        "pairs": pairs(),
        "controls": pairs(2),
        "quarantined": (
            Quarantined(
                "M099", "empty_file", "The file has 0 bytes.", "Copy it again.", "M099.avi"
            ),
        ),
        "learning": ("Learned from purified cells alone: not to be trusted on blood.",),
        "recoveries": {"": Estimate(0.9, 0.8, 1.0), "bench-1": Estimate(0.91, 0.87, 0.95)},
        "learning_curve": (
            LearningPoint(6, 0.031, 0.024, 0.04),
            LearningPoint(12, 0.022, 0.018, 0.028),
            LearningPoint(24, 0.017, 0.014, 0.021),
        ),
        "foresight": Foresight(
            24,
            0.009,
            0.075,
            tuple(
                CapacityPoint(size, 0.06 + 0.3 / (1 + 0.2 * (size - 23) ** 2), 0.055)
                for size in (2, 4, 8, 12, 16, 20, 24, 32, 48, 64, 128, 256, 512)
            ),
            (
                MethodError("counting", 0.018, 0.024),
                MethodError("consensus", 0.016, 0.02, chosen=True),
                MethodError("embedding", 0.055, 0.081),
            ),
            tuple(
                CoursePoint(stage, part, error)
                for stage, errors in (
                    ("purified", (0.093, 0.071, 0.062, 0.058)),
                    ("mixed", (0.027, 0.021, 0.018, 0.017)),
                )
                for part, error in zip((0.25, 0.5, 0.75, 1.0), errors, strict=True)
            ),
        ),
        "examples": tuple(_examples(i, name) for i, name in enumerate(CLASSES)),
        "findings": (
            Finding(Level.INFORMATION, "purity_assumed", "Assumed.", "Measure it.", "P1"),
        ),
        "model": MODEL,
        "recipes": {"train": "train-1-0123456789ab"},
        "software_version": "0.1.0",
        "laboratory": "Haematology, Example Hospital",
    }
    return StudyReport(**{**values, **changes})  # type: ignore[arg-type]


def _examples(i: int, name: str) -> ExampleShelf:
    shown = [cell_picture(100 * i + n) for n in range(8)]
    kinds = ((0.999, 0.0), (0.41, 0.01), (0.0004, -0.00013))
    return ExampleShelf(
        name,
        *(
            tuple(
                ExampleCell(f"M{n:03}", cell.cell_id, cell.pixels, first + step * n)
                for n, cell in enumerate(shown)
            )
            for first, step in kinds
        ),
    )


def _line(i: int) -> SpecimenLine:
    mine = {p.cell_class: p.fraction.value for p in pairs() if p.specimen_id == f"M{i:03}"}
    return SpecimenLine(
        f"M{i:03}",
        f"D{i:03}",
        "mixed",
        "predicted",
        MOMENT,
        "bench-1",
        600 + i,
        6100.0 + 37 * i,
        mine,
        ("few_cells",) if i % 7 == 0 else (),
        f"M{i:03}.html",
    )


def all_figures() -> tuple[str, ...]:
    from reports.glossary import QUALITY

    return tuple(QUALITY)
