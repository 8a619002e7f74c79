"""All that is stored of a study's specimens, gathered for reports, exports and pages."""

from __future__ import annotations

from sqlalchemy.orm import Session

from cellcensus.study import Study
from db.cells import current_cell_files
from db.findings import open_findings_by_specimen
from db.predictions import current_predictions
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
    return study, [
        Subject(
            study,
            specimen,
            cells.get(specimen.specimen_id),
            current.get(specimen.specimen_id),
            tuple(findings.get(specimen.specimen_id, ())),
        )
        for specimen in study.specimens
    ]
