"""Open the bench: gather all that a reviewer needs of one specimen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from cellcensus.errors import UsageError
from cellcensus.settings import Settings
from db import review as rows
from db.review import Note
from db.store import Store
from db.tables import ReportVersion
from flows.classified import WORDS, Classified, read_classes
from flows.contents import Subject, estimate, model_identity
from flows.proof import defects_of
from flows.recounted import Recounted, recounted
from flows.review.bench import (
    Bench,
    BenchCell,
    BenchRow,
    CellGroup,
    Counted,
    SignatureLine,
    VersionLine,
)
from flows.review.earlier import earlier_results
from flows.review.standing import (
    Standing,
    blockers,
    flags_of,
    read_standing,
    release_blockers,
)
from flows.review.step import Seen, specimen_row
from flows.subjects import gather_one


def open_bench(store: Store, settings: Settings, study: str, specimen_id: str) -> Bench:
    """Everything a reviewer needs of one specimen, on one consistent state.

    Raises
    ------
    UsageError
        There is no such specimen, or its study's sheet does not list it any more.
    StoreError
        The file with the classes of its cells is missing or damaged.
    """
    with store.reading() as session:
        row = specimen_row(session, study, specimen_id)
        subject = gather_one(session, study, specimen_id)
        if subject is None:
            raise UsageError(
                f"the sheet of study {study} does not list specimen {specimen_id} any more",
                next_step="add its row again, or look at its history in the audit trail",
            )
        standing = read_standing(session, row, subject.current)
        return Bench(
            study=study,
            specimen_id=specimen_id,
            specimen=subject.specimen,
            **_of_review(session, standing),
            **_of_prediction(session, settings.home.resolve(), subject, standing),
            findings=subject.findings,
        )


def _of_review(session: Session, standing: Standing) -> dict[str, Any]:
    review, current = standing.review, standing.current
    return {
        "seen": Seen(review.version, current.prediction.key if current else None),
        "state": standing.state,
        "changed_by": rows.account_name(session, review.changed_by) if review.version else "",
        "changed_at": review.changed_at if review.version else None,
        "lost_corrections": standing.lost_corrections,
        "flags": flags_of(standing),
        "quarantined": standing.quarantine.reason if standing.quarantine else "",
        "bin_seen_by": standing.bin_seen_by,
        "hold": standing.hold,
        "steps": _steps(session, standing),
        "versions": tuple(version_line(session, version) for version in standing.versions),
        "release_blockers": release_blockers(standing),
    }


def _steps(session: Session, standing: Standing) -> tuple[Note, ...]:
    key = standing.current.prediction.key if standing.current else 0
    found = [*standing.notes, *rows.moves(session, key)]
    return tuple(sorted(found, key=lambda note: note.made_at))


def version_line(session: Session, version: ReportVersion) -> VersionLine:
    """A signed version in plain values."""
    return VersionLine(
        version.version,
        version.state,
        version.report_sha256,
        version.path,
        version.created_at,
        version.released_at,
        tuple(SignatureLine(s.full_name, s.meaning, s.signed_at) for s in version.signatures),
        defects_of(session, version),
    )


def _of_prediction(
    session: Session, home: Path, subject: Subject, standing: Standing
) -> dict[str, Any]:
    current = subject.current
    if current is None:
        return {**_nothing(subject), "blockers": blockers(standing, None)}
    prediction = current.prediction
    called = read_classes(home / prediction.path)
    now = recounted(prediction, called, rows.corrections(session, prediction.key))
    before = _counted(recounted(prediction, called, {}))
    after = _counted(now) if now.moved else before
    groups = cell_groups(called, now.classified)
    return {
        "model": model_identity(current.model),
        "prediction_key": prediction.key,
        "predicted_at": prediction.created_at,
        "held_out": prediction.held_out,
        "method": prediction.method,
        "cells_path": current.cell_file.path,
        "window_um": current.cell_file.quality.get("window_um"),
        "classes": now.classified.classes,
        "groups": groups[:-2],
        "bin": groups[-2],
        "artefacts": groups[-1],
        "before": before,
        "after": after,
        "corrections": now.moved,
        "earlier": earlier_results(session, subject.specimen, after),
        "blockers": blockers(standing, now),
    }


def _nothing(subject: Subject) -> dict[str, Any]:
    missing = ("model", "prediction_key", "predicted_at", "before", "after")
    return {
        **dict.fromkeys(missing),
        "held_out": False,
        "method": "",
        "cells_path": subject.cell_file.path if subject.cell_file else None,
        "window_um": subject.cell_file.quality.get("window_um") if subject.cell_file else None,
        "classes": subject.study.classes,
        "groups": (),
        "bin": CellGroup(WORDS[-1], ()),
        "artefacts": CellGroup(WORDS[-2], ()),
        "corrections": 0,
        "earlier": (),
    }


def cell_groups(called: Classified, now: Classified) -> tuple[CellGroup, ...]:
    """The cells of each class, then the unclassified and the artefacts, least certain first."""
    members: dict[str, list[BenchCell]] = {
        name: [] for name in (*now.classes, WORDS[-1], WORDS[-2])
    }
    for index in called.probability.argsort(kind="stable"):
        cell = BenchCell(
            int(called.cell_id[index]),
            now.name(index),
            called.name(index),
            float(called.probability[index]),
        )
        members[cell.cell_class].append(cell)
    return tuple(CellGroup(name, tuple(cells)) for name, cells in members.items())


def _counted(found: Recounted) -> Counted:
    return Counted(
        tuple(
            BenchRow(row.cell_class, row.count, estimate(row, "fraction"), estimate(row, "per_ul"))
            for row in found.rows
        ),
        found.cells,
        found.unclassified,
        found.artefacts,
        estimate(found, "total_per_ul"),
    )
