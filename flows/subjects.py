"""All that is stored of a study's specimens, gathered for reports, exports and pages."""

from __future__ import annotations

from sqlalchemy.orm import Session

from cellcensus.study import Study
from db.cells import current_cell_file, current_cell_files
from db.findings import open_findings, open_findings_by_specimen
from db.predictions import current_predictions
from db.review import find_specimen, released_versions
from db.studies import find_study, load_study
from flows.contents import Subject


def gather(session: Session, name: str) -> tuple[Study, list[Subject]]:
    """The study as last recorded, and each listed specimen with what is stored of it.

    Raises
    ------
    UsageError
        There is no study of that name.
    """
    key = find_study(session, name).key
    study = load_study(session, name)
    cells = current_cell_files(session, key)
    current = {found.specimen_id: found for found in current_predictions(session, key)}
    findings = open_findings_by_specimen(session, key)
    released = released_versions(session, key)
    return study, [
        Subject(
            study,
            specimen,
            cells.get(specimen.specimen_id),
            current.get(specimen.specimen_id),
            tuple(findings.get(specimen.specimen_id, ())),
            released.get(specimen.specimen_id),
        )
        for specimen in study.specimens
    ]


def gather_one(session: Session, name: str, specimen_id: str) -> Subject | None:
    """One specimen with what is stored of it; ``None`` if its study's sheet does not list it.

    Raises
    ------
    UsageError
        There is no study of that name.
    """
    study = load_study(session, name, specimen_id)
    row = find_specimen(session, name, specimen_id)
    if row is None or not study.specimens:
        return None
    current = current_predictions(session, row.study_key, row.key)
    return Subject(
        study,
        study.specimens[0],
        current_cell_file(session, row.key),
        current[0] if current else None,
        tuple(open_findings(session, row.study_key, row.key)),
    )
