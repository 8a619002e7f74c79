"""What a home holds, without when it was made: equal for equal work, however often interrupted."""

from sqlalchemy import select

from cellcensus.recipe import hash_file
from db.audit import broken_entries
from db.store import Store
from db.tables import (
    AuditEntry,
    CellFile,
    Decision,
    Finding,
    ModelVersion,
    Prediction,
    PredictionClass,
    Recording,
    ReferenceCount,
    Report,
    Specimen,
    SpecimenRevision,
    Study,
    StudyRevision,
    VerificationDonor,
)

CONTENT = (
    *(Study, StudyRevision, Specimen, SpecimenRevision, ReferenceCount, Recording, Finding),
    *(CellFile, ModelVersion, Decision, Prediction, PredictionClass, Report),
    *(VerificationDonor, AuditEntry),
)
# Surrogate keys, times and runs tell when something was done, not what. A report names its time.
# An entry's number and hashes tell in which order the trail was written.
_NOT_CONTENT = {
    *("run_key", "created_at", "seen_at", "found_at", "taken_at", "cleared_at", "chosen_at"),
    *("made_at", "number", "previous_hash", "entry_hash"),
}


def content_of(home, address=None):
    """Every row without times; keys as ranks, since a lost transaction may leave a gap."""
    store = Store(address or f"sqlite:///{home / 'cellcensus.sqlite'}")
    with store.reading() as session:
        rows = {table: session.scalars(select(table)).all() for table in CONTENT}
        assert list(broken_entries(session)) == []
    store.close()
    ranks = {
        table.__tablename__: {key: place for place, key in enumerate(sorted(r.key for r in found))}
        for table, found in rows.items()
        if found and hasattr(table, "key")
    }
    return {
        table.__tablename__: sorted(str(_values(row, ranks)) for row in found)
        for table, found in rows.items()
    }


def _values(row, ranks):
    values = {}
    for column in row.__table__.columns:
        name = column.key
        if name in _NOT_CONTENT or (name == "sha256" and isinstance(row, Report)):
            continue
        value = getattr(row, "column" if name == "sheet_column" else name)
        target = column.key == "key" and row.__tablename__
        for foreign in column.foreign_keys:
            target = foreign.column.table.name
        values[name] = ranks[target][value] if target and value is not None else value
    return values


def files_of(home):
    return {
        str(file.relative_to(home)): None if file.suffix == ".html" else hash_file(file)
        for folder in ("cells", "models", "predictions", "reports")
        for file in (home / folder).rglob("*")
        if file.is_file()
    }
