"""A study folder → a study and what was found."""

from __future__ import annotations

from pathlib import Path

from cellcensus.errors import StudyError
from cellcensus.findings import Finding, Level
from cellcensus.study import Study
from cellcensus.studyfolder.crosschecks import (
    Read,
    check_columns,
    check_leaks,
    check_teachers,
    check_twins,
)
from cellcensus.studyfolder.fields import read_specimen
from cellcensus.studyfolder.manifest import read_manifest
from cellcensus.studyfolder.notes import Notes, did_you_mean, shown
from cellcensus.studyfolder.sheet import read_sheet

MANIFEST, TABLE = "study.yaml", "specimens.csv"


def read_study(folder: Path) -> tuple[Study | None, list[Finding]]:
    """Read and check a study folder; changes nothing.

    Parameters
    ----------
    folder
        The folder that holds ``study.yaml`` and ``specimens.csv``.

    Returns
    -------
    study
        The study with the specimens that can be used, in the order of the table; ``None`` if the
        study as a whole cannot be used.
    findings
        Those of the study first, then those of each row in order. A specimen that was left out has
        a violation that names it (``row N`` where it has no id).
    """
    folder, notes = Path(folder), Notes()
    if not _is_there(folder, notes):
        return None, notes.findings
    manifest = read_manifest(folder / MANIFEST, notes)
    if manifest is None:
        return None, notes.findings
    sheet = read_sheet(folder / TABLE, manifest.classes, notes)
    if sheet is None:
        return None, notes.findings
    reads: list[Read] = [read_specimen(row, manifest, folder, sheet.decimal) for row in sheet.rows]
    check_twins(reads)
    check_leaks(reads)
    specimens = tuple(s for s, its_notes in reads if s is not None and not its_notes.unusable)
    if specimens:
        check_teachers(specimens, manifest.classes, notes)
        check_columns(sheet, specimens, notes)
    else:
        message = "No specimen can be used"
        notes.violation("no_specimens", message, "Correct the violations of the specimens.")
    findings = [*notes.findings, *(found for _, its in reads for found in its.findings)]
    if not specimens:
        return None, findings
    study = Study(
        folder, manifest.name, manifest.classes, manifest.acquisition, manifest.cells, specimens
    )
    return study, findings


def load_study(folder: Path) -> Study:
    """Read a study folder that must be usable.

    Raises
    ------
    StudyError
        With all findings, if the study as a whole cannot be used.
    """
    study, findings = read_study(folder)
    if study is None:
        worst = next(found for found in findings if found.level is Level.VIOLATION)
        raise StudyError(
            f"The study cannot be used: {worst.message}",
            findings=findings,
            file=folder,
            next_step=worst.action,
        )
    return study


def _is_there(folder: Path, notes: Notes) -> bool:
    if not folder.is_dir():
        message = f"{shown(folder)} is {'a file, not a' if folder.is_file() else 'no'} folder"
        notes.violation("folder_missing", message, f"Name the folder that holds {MANIFEST}.")
        return False
    for name in (MANIFEST, TABLE):
        if not (folder / name).is_file():
            hint = did_you_mean(name, sorted(entry.name for entry in folder.iterdir()))
            action = f"Write it, or export it as {name}.{hint}"
            notes.violation("file_missing", f"There is no {name} in {shown(folder)}", action)
    return not notes.unusable
