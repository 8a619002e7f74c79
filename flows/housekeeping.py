"""What a service does now and then: a copy of the database, and less of what nobody needs."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from cellcensus.logs import turn_log
from cellcensus.settings import HousekeepingSettings
from db.cells import superseded_before
from db.schema import backup
from db.types import utc_now
from flows.context import Context, Outcome

PICTURES = ("crops.npy", "preview.jpg")
_STAMP = "%Y%m%dT%H%M%SZ"


def keep_house(ctx: Context, *, now: datetime | None = None) -> Outcome:
    """Copy the database, drop the oldest copies, and delete pictures of superseded results.

    Numbers are never deleted: rows, features of cells and classes of cells stay.

    Parameters
    ----------
    now
        Time of the copy and end of the retention; the clock's if not given.
    """
    now = now or utc_now()
    outcome = Outcome("housekeeping")
    settings = ctx.settings.housekeeping
    if settings.backups:
        file = _backup_folder(ctx) / f"cellcensus-{now.strftime(_STAMP)}.sqlite"
        backup(ctx.settings.database_address(), file)
        outcome.done += 1
        outcome.notes.append(f"database copied to {ctx.relative(file)}")
        _drop_oldest(_backup_folder(ctx), settings.backups)
    turn_log(ctx.home)
    freed = _delete_pictures(ctx, settings, now)
    if freed:
        outcome.notes.append(f"pictures of superseded results deleted: {freed / 2**20:.1f} MiB")
    return outcome


def _backup_folder(ctx: Context) -> Path:
    return ctx.home / "backups"


def _drop_oldest(folder: Path, kept: int) -> None:
    # By name, not by the files' times: those change when a copy is copied.
    for old in sorted(folder.glob("cellcensus-*.sqlite"))[:-kept]:
        old.unlink(missing_ok=True)


def _delete_pictures(ctx: Context, settings: HousekeepingSettings, now: datetime) -> int:
    """Delete pictures of cells that are in force nowhere any more; how many bytes."""
    if settings.superseded_days is None:
        return 0
    with ctx.store.reading() as session:
        rows = superseded_before(session, now - timedelta(days=settings.superseded_days))
    freed = 0
    for row in rows:
        for name in PICTURES:
            file = ctx.home / row.path / name
            if file.is_file():
                freed += file.stat().st_size
                file.unlink()
    return freed
