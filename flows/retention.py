"""Pictures are deleted after the time that the laboratory keeps them; numbers never are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from cellcensus.findings import Finding, Level
from cellcensus.settings import HousekeepingSettings
from db import audit
from db.cells import kept_before, superseded_before
from db.findings import reconcile
from db.tables import CellFile
from flows.context import Context
from flows.keptcells import KeptCells, kept_cells

SOURCE = "housekeeping"


def delete_old_pictures(ctx: Context, now: datetime) -> list[str]:
    """Delete what is over its time, of superseded results and by role; in words what was freed."""
    settings, notes = ctx.settings.housekeeping, []
    freed = _superseded(ctx, settings, now)
    if freed:
        notes.append(f"pictures of superseded results deleted: {freed / 2**20:.1f} MiB")
    for role, days in settings.pictures_days.items():
        specimens, freed = _of_role(ctx, role, days, now)
        if specimens:
            notes.append(
                f"pictures of {specimens} {role} specimens older than {days:g} days deleted: "
                f"{freed / 2**20:.1f} MiB"
            )
    return notes


def _superseded(ctx: Context, settings: HousekeepingSettings, now: datetime) -> int:
    if settings.superseded_days is None:
        return 0
    with ctx.store.reading() as session:
        rows = superseded_before(session, now - timedelta(days=settings.superseded_days))
    why = f"superseded for more than {settings.superseded_days:g} days"
    return sum(kept_cells(ctx.settings, row.path).delete_pictures(why) for row in rows)


def _of_role(ctx: Context, role: str, days: float, now: datetime) -> tuple[int, int]:
    with ctx.store.reading() as session:
        rows = kept_before(session, role, now - timedelta(days=days))
    due = [
        (study_key, row)
        for study_key, row in rows
        if _has_pictures(kept_cells(ctx.settings, row.path))
    ]
    why = f"{role} specimens keep pictures for {days:g} days"
    _tell(ctx, due, why)
    freed = sum(kept_cells(ctx.settings, row.path).delete_pictures(why) for _, row in due)
    return len({row.specimen_key for _, row in due}), freed


def _has_pictures(kept: KeptCells) -> bool:
    return kept.are_there() and not kept.pictures_are_gone()


def _tell(ctx: Context, due: Sequence[tuple[int, CellFile]], why: str) -> None:
    """Say it beforehand: a power cut may leave pictures that are said to be gone, never others."""
    with ctx.store.unit_of_work() as session:
        for study_key, row in due:
            audit.record(
                session,
                action="specimen.pictures_deleted",
                subject=audit.subject_of(session, row.specimen_key),
                after={"recipe_id": row.recipe_id},
                reason=why,
            )
            if row.current:
                reconcile(
                    session,
                    [_finding(why)],
                    study_key=study_key,
                    specimen_key=row.specimen_key,
                    source=SOURCE,
                )
        session.commit()


def _finding(why: str) -> Finding:
    return Finding(
        Level.INFORMATION,
        "pictures_deleted",
        f"the pictures of its cells were deleted ({why}); its numbers are kept",
        "`cellcensus ingest STUDY --specimen ID` makes them again while the recording is there",
    )
