"""A study folder → rows: every stage begins by writing down what the sheet says now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from cellcensus.errors import StudyError, UsageError
from cellcensus.findings import Finding, Level
from cellcensus.study import Specimen, Study
from db.cells import set_aside as set_cells_aside
from db.findings import discarded, reconcile, subjects_with_open_findings
from db.leases import write_sheet_alone
from db.predictions import set_aside as set_predictions_aside
from db.studies import add_specimen, record_study, specimen_keys
from flows.context import Context


@dataclass
class Intake:
    """A study as recorded: its key, the keys of its specimens, and those that can be used."""

    study: Study
    key: int
    keys: dict[str, int]
    usable: tuple[Specimen, ...]


def take_in(ctx: Context, folder: Path, specimens: Sequence[str] = ()) -> Intake:
    """Read a study folder and record it; ``specimens`` narrows what is usable.

    Raises
    ------
    StudyError
        The study cannot be used.
    UsageError
        A specimen asked for is not in its sheet.
    """
    study, findings = read(Path(folder))
    bad = {
        found.specimen_id
        for found in findings
        if found.level is Level.VIOLATION and found.specimen_id is not None
    }
    with ctx.store.unit_of_work() as session:
        write_sheet_alone(session)  # several machines may begin with the same study
        key = record_study(session, study)
        keys = specimen_keys(session, key)
        for name in sorted(bad - keys.keys()):
            keys[name] = add_specimen(session, key, name)
        _record_findings(session, key, keys, findings)
        for name in bad:
            set_cells_aside(session, keys[name])
            set_predictions_aside(session, keys[name])
        for name in keys.keys() - {s.specimen_id for s in study.specimens}:
            # What its recording was quarantined for has no meaning without its row.
            reconcile(session, [], study_key=key, specimen_key=keys[name], source="ingest")
        aside = discarded(session, key)
        session.commit()
    bad |= {name for name in keys if keys[name] in aside}
    usable = tuple(s for s in study.specimens if s.specimen_id not in bad)
    return Intake(study, key, keys, _narrow(study, usable, specimens, bad))


def read(folder: Path) -> tuple[Study, list[Finding]]:
    """Read a study folder.

    Raises
    ------
    StudyError
        It cannot be used; the error carries the findings.
    """
    from cellcensus.studyfolder import read_study

    study, findings = read_study(folder)
    if study is None:
        worst = next((f for f in findings if f.level is Level.VIOLATION), None)
        raise StudyError(
            "the study cannot be used" + (f": {worst.message}" if worst else ""),
            findings=findings,
            file=folder,
            next_step=worst.action if worst else f"`cellcensus check {folder}`",
        )
    return study, findings


def _record_findings(
    session: Session, key: int, keys: dict[str, int], findings: Sequence[Finding]
) -> None:
    grouped: dict[str | None, list[Finding]] = defaultdict(list)
    for found in findings:
        # A finding about a specimen that only a broken row names belongs to the study.
        grouped[found.specimen_id if found.specimen_id in keys else None].append(found)
    standing = subjects_with_open_findings(session, key, "sheet")
    for name in (None, *keys):
        if name not in grouped and (None if name is None else keys[name]) not in standing:
            continue  # most specimens: nothing was wrong, nothing is
        reconcile(
            session,
            grouped.get(name, []),
            study_key=key,
            specimen_key=None if name is None else keys[name],
            source="sheet",
            quarantines=name is not None,
        )


def _narrow(
    study: Study, usable: tuple[Specimen, ...], wanted: Sequence[str], bad: set[str]
) -> tuple[Specimen, ...]:
    if not wanted:
        return usable
    unknown = sorted(set(wanted) - {s.specimen_id for s in study.specimens} - bad)
    if unknown:
        raise UsageError(
            f"study {study.name} has no specimen {', '.join(unknown)}",
            next_step="the ids stand in the first column of specimens.csv",
        )
    return tuple(s for s in usable if s.specimen_id in wanted)
