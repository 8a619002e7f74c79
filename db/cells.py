"""Recordings and the cells found in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.tables import CellFile, Prediction, Recording, Specimen, SpecimenRevision


def recording_with_stamp(
    session: Session, study_key: int, path: str, stamp: str
) -> Recording | None:
    """The recording at ``path`` if its files have not been touched since it was last read."""
    return session.scalars(
        select(Recording)
        .where(Recording.study_key == study_key, Recording.path == path, Recording.stamp == stamp)
        .order_by(Recording.key.desc())
        .limit(1)
    ).first()


def record_recording(
    session: Session, study_key: int, path: str, *, sha256: str, size: int, stamp: str
) -> Recording:
    """Write down what was found at ``path``: a new row only if the content is new."""
    recording = session.scalar(
        select(Recording).where(
            Recording.study_key == study_key, Recording.path == path, Recording.sha256 == sha256
        )
    )
    if recording is None:
        recording = Recording(study_key=study_key, path=path, sha256=sha256, size=size, stamp=stamp)
        session.add(recording)
        session.flush()
    recording.stamp = stamp
    return recording


def find_cell_file(session: Session, specimen_key: int, recipe_id: str) -> CellFile | None:
    """The cells of a specimen that this recipe made."""
    return session.scalar(
        select(CellFile).where(
            CellFile.specimen_key == specimen_key, CellFile.recipe_id == recipe_id
        )
    )


def add_cell_file(
    session: Session,
    *,
    specimen_key: int,
    recording_key: int,
    run_key: int | None,
    recipe: dict[str, Any],
    recipe_id: str,
    path: str,
    n_cells: int,
    quality: dict[str, Any],
) -> CellFile:
    """Add cells and make them the current ones of the specimen."""
    row = CellFile(
        specimen_key=specimen_key,
        recording_key=recording_key,
        run_key=run_key,
        recipe=recipe,
        recipe_id=recipe_id,
        path=path,
        n_cells=n_cells,
        quality=quality,
        current=False,
    )
    session.add(row)
    session.flush()
    make_current(session, row)
    return row


def make_current(session: Session, row: CellFile) -> None:
    """Of the specimen's cell files, let this one be in force."""
    if row.current:
        return
    set_aside(session, row.specimen_key)
    row.current = True
    session.flush()


def set_aside(session: Session, specimen_key: int) -> None:
    """No cell file of the specimen is in force."""
    session.execute(
        update(CellFile)
        .where(CellFile.specimen_key == specimen_key, CellFile.current)
        .values(current=False)
    )


def superseded_before(session: Session, moment: datetime) -> Sequence[CellFile]:
    """Cells not in force that were made before ``moment`` and that no prediction in force uses."""
    used = select(Prediction.cell_file_key).where(Prediction.current)
    return session.scalars(
        select(CellFile)
        .where(
            CellFile.current.is_(False),
            CellFile.created_at < moment,
            CellFile.key.not_in(used),
        )
        .order_by(CellFile.key)
    ).all()


def kept_before(session: Session, role: str, moment: datetime) -> list[tuple[int, CellFile]]:
    """Cells of specimens of a role that were made before ``moment``, each with its study's key."""
    rows = session.execute(
        select(Specimen.study_key, CellFile)
        .join(CellFile, CellFile.specimen_key == Specimen.key)
        .join(SpecimenRevision, SpecimenRevision.specimen_key == Specimen.key)
        .where(SpecimenRevision.latest, SpecimenRevision.role == role, CellFile.created_at < moment)
        .order_by(CellFile.key)
    )
    return [(study_key, row) for study_key, row in rows]


def current_cell_files(session: Session, study_key: int) -> dict[str, CellFile]:
    """``specimen_id`` → its cells in force."""
    rows = session.execute(
        select(Specimen.specimen_id, CellFile)
        .join(CellFile, CellFile.specimen_key == Specimen.key)
        .where(Specimen.study_key == study_key, CellFile.current)
    )
    return dict(rows.tuples().all())


def current_cell_file(session: Session, specimen_key: int) -> CellFile | None:
    """The cells in force of one specimen."""
    return session.scalar(
        select(CellFile).where(CellFile.specimen_key == specimen_key, CellFile.current)
    )
