"""What a service does now and then: a copy of the database, and less of what nobody needs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cellcensus.logs import turn_log
from db.schema import backup
from db.sessions import delete_dead
from db.types import utc_now
from flows.context import Context, Outcome
from flows.retention import delete_old_pictures
from flows.turns import one_at_a_time

_STAMP = "%Y%m%dT%H%M%SZ"


def keep_house(ctx: Context, *, now: datetime | None = None) -> Outcome:
    """Copy the database, drop the oldest copies, and delete pictures and sessions past their time.

    Numbers are never deleted: rows, features of cells and classes of cells stay.

    Parameters
    ----------
    now
        Time of the copy and end of the retention; the clock's if not given.
    """
    with one_at_a_time(ctx, "housekeeping") as turn:
        outcome = _keep_house(ctx, now or utc_now())
        outcome.notes += turn.waited
    return outcome


def _keep_house(ctx: Context, now: datetime) -> Outcome:
    outcome = Outcome("housekeeping")
    settings = ctx.settings.housekeeping
    if settings.backups:
        file = _backup_folder(ctx) / f"cellcensus-{now.strftime(_STAMP)}.sqlite"
        backup(ctx.settings.database_address(), file)
        outcome.done += 1
        outcome.notes.append(f"database copied to {ctx.relative(file)}")
        _drop_oldest(_backup_folder(ctx), settings.backups, file.name)
    turn_log(ctx.home)
    outcome.notes += _delete_sessions(ctx, now)
    outcome.notes += delete_old_pictures(ctx, now)
    return outcome


def _delete_sessions(ctx: Context, now: datetime) -> list[str]:
    with ctx.store.unit_of_work() as session:
        number = delete_dead(session, now)
        session.commit()
    return [f"sessions of browsers that had ended were deleted: {number}"] if number else []


def _backup_folder(ctx: Context) -> Path:
    return ctx.home / "backups"


def _drop_oldest(folder: Path, kept: int, newest: str) -> None:
    # By name, not by the files' times: those change when a copy is copied. A name from the future
    # is of a clock that was set back since: older than what was made now.
    files = sorted(
        folder.glob("cellcensus-*.sqlite"), key=lambda file: (file.name <= newest, file.name)
    )
    for old in files[:-kept]:
        old.unlink(missing_ok=True)
